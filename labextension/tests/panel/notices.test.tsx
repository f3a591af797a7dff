import { act, fireEvent, render, screen } from '@testing-library/react';
import { beforeEach, expect, test, vi } from 'vitest';
import { Notices } from '../../src/panel/notices';
import { type Fixture, panelOf } from './fixtures';

let panel: Fixture;

beforeEach(() => {
  panel = panelOf();
  render(<Notices state={panel.state} />);
});

test("the kernel's refusal is an alert until it is dismissed", async () => {
  const calls = vi.fn();
  panel.state.calls.connect(calls);
  panel.connection.answers = () => 'alice is <b>running</b>.';
  await act(() => panel.state.ask({ command: 'close', targets: [1] }));
  expect(screen.getByRole('alert').textContent).toBe('alice is <b>running</b>.');
  expect(calls).toHaveBeenCalledOnce();
  fireEvent.click(screen.getByRole('button', { name: 'Dismiss' }));
  expect(screen.queryByRole('alert')).toBeNull();
});

test('the same sentence is told once', () => {
  act(() => void panel.state.notify({ kind: 'error', text: 'No.' }));
  act(() => void panel.state.notify({ kind: 'error', text: 'No.' }));
  expect(screen.getAllByRole('alert')).toHaveLength(1);
});

test('what is waited for can be given up', () => {
  const cancel = vi.fn();
  act(() => void panel.state.notify({ kind: 'waiting', text: 'Waiting until alice is idle.', cancel }));
  expect(screen.getByRole('status').textContent).toContain('Waiting until alice is idle.');
  fireEvent.click(screen.getByRole('button', { name: 'Stop waiting' }));
  expect(cancel).toHaveBeenCalledOnce();
});

test('another kernel has notices of its own', () => {
  act(() => void panel.state.notify({ kind: 'error', text: 'No.' }));
  act(() => panel.models.show(null));
  expect(screen.queryByRole('alert')).toBeNull();
});
