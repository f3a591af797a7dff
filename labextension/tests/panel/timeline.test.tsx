import { act, fireEvent, render, screen, within } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { axis, lanes, latest } from '../../src/panel/lanes';
import { Timeline } from '../../src/panel/timeline';
import type { Run } from '../../src/protocol';
import { alice, bob, event, interpreter, NOON, run, snapshot } from '../fakes';
import { type Fixture, panelOf } from './fixtures';

const inBob = { interpreter: 2, label: 'bob', colour: '#c2570a' };

describe('lanes', () => {
  test('there is one for each interpreter that ran something, main first', () => {
    const runs = [run({ id: 5, ...inBob }), run({ id: 6, interpreter: 0, label: 'main' }), run({ id: 7, ...inBob })];
    const found = lanes(runs, [interpreter(), alice(), bob()], 0);
    expect(found.map(lane => [lane.label, lane.runs.map(run => run.id)])).toEqual([
      ['main', [6]],
      ['bob', [5, 7]]
    ]);
  });

  test('runs that ended before the window are left out, those that reach into it are not', () => {
    const runs = [run({ id: 5, end: NOON - 61 }), run({ id: 6, start: NOON - 99, end: NOON - 59 }), run({ id: 7 })];
    expect(lanes(runs, [], NOON - 60).flatMap(lane => lane.runs.map(run => run.id))).toEqual([6, 7]);
  });

  test('an interpreter that is gone keeps its lane, one that has been renamed has its new name', () => {
    const renamed = alice({ label: 'carol' });
    expect(lanes([run(), run({ id: 6, ...inBob })], [renamed], 0).map(lane => lane.label)).toEqual(['carol', 'bob']);
  });

  test('each subshell has a lane of its own behind that of main', () => {
    const own = run({ id: 6, interpreter: 0, label: 'main' });
    const beside = [7, 8].map(id => run({ ...own, id, subshell: id - 6 }));
    const found = lanes([run(), ...beside, own], [interpreter()], 0);
    expect(found.map(lane => [lane.label, lane.runs.map(each => each.id)])).toEqual([
      ['main', [6]],
      ['subshell 1', [7]],
      ['subshell 2', [8]],
      ['alice', [5]]
    ]);
  });

  test('what happened lately fills the timeline, back to a pause that is longer', () => {
    const ran = (start: number, end: number | null) =>
      run({ start: NOON + start, end: end === null ? null : NOON + end });
    const window = (...runs: Run[]) => {
      const { from, to } = latest(runs, NOON);
      return [from - NOON, to - NOON].map(time => Number(time.toFixed(1)));
    };
    expect(window()).toEqual([-9.6, 0.4]);
    expect(window(ran(-100, -98))).toEqual([-107.6, -97.6]);
    expect(window(ran(-100, -98), ran(-91, -90), ran(-82, -80))).toEqual([-108.8, -78.8]);
    expect(window(ran(-300, -200), ran(-40, -38))).toEqual([-47.6, -37.6]);
    expect(window(ran(-200, -50), ran(-40, null))).toEqual([-288, 12]);
    expect(window(ran(-5000, null))).toEqual([-576, 24]);
  });

  test('the axis has marks at round times', () => {
    expect(axis(575, 635)).toEqual([600, 630]);
    expect(axis(1000, 1600)).toEqual([1200, 1500]);
  });
});

describe('the timeline', () => {
  let panel: Fixture;

  beforeEach(() => {
    vi.useFakeTimers({ now: NOON * 1000 });
    panel = panelOf();
    return () => vi.useRealTimers();
  });
  afterEach(() => vi.useRealTimers());

  function show(...runs: Run[]): void {
    panel.state.timeline = 60;
    panel.connection.tell(snapshot({ interpreters: [interpreter(), alice(), bob()], runs }));
    render(<Timeline state={panel.state} />);
  }

  const strip = (name: string) => screen.getByRole('list', { name });
  const stretches = (name: string) =>
    within(strip(name))
      .getAllByRole('listitem')
      .map(({ ariaLabel, title, style, dataset }) => {
        expect(title).toBe(ariaLabel ?? title);
        return { title, left: parseFloat(style.left), width: parseFloat(style.width), status: dataset.status };
      });
  const tick = (milliseconds: number) => act(() => void vi.advanceTimersByTime(milliseconds));

  test('shows what ran when in each interpreter, and parallel runs overlap', () => {
    show(
      run({ start: NOON - 30, end: NOON - 15, status: 'ok' }),
      run({ id: 6, ...inBob, start: NOON - 24, end: NOON - 12, status: 'error' })
    );
    expect(stretches('1 run in alice')).toEqual([
      { title: 'In [7] in alice, 15 s, ok', left: -50, width: 25, status: 'ok' }
    ]);
    expect(stretches('1 run in bob')).toEqual([
      { title: 'In [7] in bob, 12 s, error', left: -40, width: 20, status: 'error' }
    ]);
  });

  test('marks a failed run by a sign too', () => {
    show(run({ end: NOON, status: 'error' }), run({ id: 6, ...inBob, end: NOON, status: 'ok' }));
    expect(strip('1 run in alice').textContent).toBe('✕');
    expect(strip('1 run in bob').textContent).toBe('');
  });

  test('grows what runs, and moves its track with time', () => {
    show(run({ start: NOON - 6 }));
    const track = () => strip('1 run in alice').style.transform;
    expect([stretches('1 run in alice')[0]!.width, track()]).toEqual([10, 'translateX(100%)']);
    tick(3000);
    expect([stretches('1 run in alice')[0]!.width, track()]).toEqual([15, 'translateX(95%)']);
    expect(stretches('1 run in alice')[0]!.title).toBe('In [7] in alice, 9.0 s, running');
  });

  test('is drawn four times a second at most, and not while nothing runs or changes', () => {
    show(run());
    tick(1000);
    let drawings = 0;
    const observer = new MutationObserver(() => undefined);
    observer.observe(strip('1 run in alice').parentElement!, { subtree: true, attributes: true });
    const drawn = () =>
      (drawings += observer.takeRecords().some(({ attributeName }) => attributeName === 'style') ? 1 : 0);
    for (let time = 0; time < 1000; time += 50) {
      act(() =>
        panel.connection.tell(event(11 + time, { time: NOON + 1 + time / 1000, interpreters: [bob({ cells: time })] }))
      );
      tick(50);
      drawn();
    }
    expect(drawings).toBe(4);
    act(() => panel.connection.tell(event(5000, { time: NOON + 2, runs: [run({ end: NOON + 2, status: 'ok' })] })));
    tick(300);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('goes back as far as is chosen', () => {
    show(run({ start: NOON - 240, end: NOON - 180, status: 'ok' }));
    expect(screen.getByText('Nothing ran in this time.')).toBeTruthy();
    fireEvent.change(screen.getByRole('combobox', { name: 'How far the timeline goes back' }), {
      target: { value: 300 }
    });
    expect(stretches('1 run in alice')[0]!.width).toBe(20);
  });

  test('shows what happened lately if nothing else is chosen', () => {
    show(run({ start: NOON - 102, end: NOON - 100, status: 'ok' }));
    fireEvent.change(screen.getByRole('combobox', { name: 'How far the timeline goes back' }), {
      target: { value: 0 }
    });
    expect(stretches('1 run in alice')[0]!.width).toBe(20);
  });

  test('is empty while there is no kernel', () => {
    show(run());
    act(() => panel.connection.fails('The kernel is restarting.'));
    expect(screen.queryByRole('list')).toBeNull();
  });
});
