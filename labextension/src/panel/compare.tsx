// Two interpreters side by side: the same names, what each has under them, and what they share.
import { Button, linkIcon, refreshIcon } from '@jupyterlab/ui-components';
import type { CSSProperties, ReactNode } from 'react';
import type { KernelModel } from '../model';
import type { Difference, Interpreter, Variable } from '../protocol';
import { useAnswer } from './answer';
import { Choose } from './choose';
import { useValue } from './hooks';
import { Label } from './label';
import type { PanelState } from './state';
import { bytes, count } from './texts';

export function Compare({ state }: { state: PanelState }): JSX.Element | null {
  const model = useValue(state.changed, () => state.model);
  const problem = useValue(model?.changed, () => model?.problem ?? null);
  const rows = useValue(model?.changed, () => model?.interpreters);
  const pair = useValue(state.changed, () => state.compared);
  if (!model || problem !== null) {
    return null;
  }
  const [a, b] = (pair ?? []).map(id => rows?.find(row => row.id === id));
  if (!a || !b) {
    return <p className="jp-xinterp-Sentence">There is one interpreter. Create another one to compare it with.</p>;
  }
  return <Pair {...{ state, model, a, b }} />;
}

interface PairProps {
  state: PanelState;
  model: KernelModel;
  a: Interpreter;
  b: Interpreter;
}

function Pair({ state, model, a, b }: PairProps): JSX.Element {
  const asked = useAnswer<Difference[]>(model, { command: 'diff', targets: [a.id, b.id] });
  const refresh = 'Compare them again';
  return (
    <div className="jp-xinterp-Compare">
      <div className="jp-xinterp-Bar">
        <Choose model={model} label="Compare" value={a.id} onChange={id => (state.compared = [id, b.id])} />
        <span>with</span>
        <Choose model={model} label="with" value={b.id} onChange={id => (state.compared = [a.id, id])} />
        <Button minimal small title={refresh} aria-label={refresh} onClick={asked.again}>
          <refreshIcon.react tag="span" />
        </Button>
      </div>
      <p className="jp-xinterp-Sentence" role="status">
        {asked.error ?? (asked.value ? summary(asked.value) : 'Comparing.')}
      </p>
      {asked.value && asked.value.length > 0 && <Table a={a} b={b} differences={asked.value} />}
    </div>
  );
}

/** The kinds of sameness, with a mark for each: none is told by a colour alone. */
const MARKS: Record<string, ReactNode> = {
  'same memory': <linkIcon.react tag="span" width="12px" height="12px" />,
  equal: '=',
  'looks equal': '≈',
  differs: '≠'
};

function kindOf({ a, b, same }: Difference): string {
  return a && b && same in MARKS ? same : 'only';
}

/** "5 names: 1 same memory, 2 equal, 2 in one only" */
function summary(differences: Difference[]): string {
  const kinds = [...Object.keys(MARKS), 'only'].flatMap(kind => {
    const number = differences.filter(difference => kindOf(difference) === kind).length;
    return number > 0 ? [`${number} ${kind === 'only' ? 'in one only' : kind}`] : [];
  });
  return differences.length === 0
    ? 'Neither has a variable.'
    : `${count(differences.length, 'name')}: ${kinds.join(', ')}`;
}

function Table({ a, b, differences }: { a: Interpreter; b: Interpreter; differences: Difference[] }): JSX.Element {
  const colours = { '--xinterp-a': a.colour, '--xinterp-b': b.colour } as CSSProperties;
  return (
    <table className="jp-xinterp-Pair" style={colours} aria-label={`${a.label} and ${b.label} compared`}>
      <thead>
        <tr>
          <th scope="col">
            <Label of={a} />
          </th>
          <th scope="col">
            <Label of={b} />
          </th>
        </tr>
      </thead>
      {differences.map(difference => (
        <Names key={difference.name} difference={difference} />
      ))}
    </table>
  );
}

function Names({ difference }: { difference: Difference }): JSX.Element {
  const { name, a, b, same } = difference;
  const kind = kindOf(difference);
  return (
    <tbody data-kind={kind}>
      <tr className="jp-xinterp-Pair-name">
        <th scope="rowgroup" colSpan={2}>
          <span title={name}>{name}</span>
          <span className="jp-xinterp-Chip" data-kind={kind}>
            <span aria-hidden>{MARKS[kind] ?? '◐'}</span>
            {same}
          </span>
        </th>
      </tr>
      {kind === 'same memory' && a ? (
        <tr>
          <td colSpan={2} className="jp-xinterp-Pair-shared">
            <Value of={a} />
            <span className="jp-xinterp-Pair-address">
              one buffer{a.address !== undefined && ` at 0x${a.address.toString(16)}`}: both see it
            </span>
          </td>
        </tr>
      ) : (
        <tr>
          <Cell of={a} />
          <Cell of={b} />
        </tr>
      )}
    </tbody>
  );
}

function Cell({ of }: { of: Variable | null }): JSX.Element {
  return of ? (
    <td>
      <Value of={of} />
    </td>
  ) : (
    <td className="jp-xinterp-Pair-missing">not there</td>
  );
}

function Value({ of }: { of: Variable }): JSX.Element {
  return (
    <>
      <code title={of.value}>{of.value}</code>
      <span className="jp-xinterp-Pair-type">
        {of.type}, {bytes(of.size)}
      </span>
    </>
  );
}
