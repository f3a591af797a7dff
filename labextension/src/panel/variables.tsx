// The variables of one interpreter, when they are asked for.
import { Button, InputGroup, refreshIcon } from '@jupyterlab/ui-components';
import { useState } from 'react';
import type { KernelModel } from '../model';
import type { Variable } from '../protocol';
import { useAnswer } from './answer';
import { Choose } from './choose';
import { useValue } from './hooks';
import type { PanelState } from './state';
import { bytes, count } from './texts';

export function Variables({ state }: { state: PanelState }): JSX.Element | null {
  const model = useValue(state.changed, () => state.model);
  const problem = useValue(model?.changed, () => model?.problem ?? null);
  return model && problem === null ? <Of state={state} model={model} /> : null;
}

function Of({ state, model }: { state: PanelState; model: KernelModel }): JSX.Element {
  const chosen = useValue(state.changed, () => state.variablesOf);
  const row = useValue(model.changed, () => model.get(chosen) ?? model.get(0));
  const asked = useAnswer<Variable[]>(model, { command: 'vars', targets: [row?.id ?? 0] });
  const [filter, setFilter] = useState('');
  const shown = asked.value?.filter(({ name, type }) => `${name} ${type}`.toLowerCase().includes(filter.toLowerCase()));
  return (
    <div className="jp-xinterp-Variables">
      <div className="jp-xinterp-Bar">
        <Choose model={model} label="Variables of" value={row?.id ?? 0} onChange={id => (state.variablesOf = id)} />
        <InputGroup
          type="search"
          placeholder="Filter"
          aria-label="Filter by name or type"
          value={filter}
          onChange={event => setFilter(event.currentTarget.value)}
        />
        <Button
          minimal
          small
          title="Read the variables again"
          aria-label="Read the variables again"
          onClick={asked.again}
        >
          <refreshIcon.react tag="span" />
        </Button>
      </div>
      <p className="jp-xinterp-Sentence" role="status">
        {asked.error ?? (shown ? summary(asked.value!.length, shown.length, row?.label ?? 'main') : 'Reading.')}
      </p>
      {shown && shown.length > 0 && <Table variables={shown} name={row?.label ?? 'main'} />}
    </div>
  );
}

function summary(all: number, shown: number, name: string): string {
  if (all === 0) {
    return `${name} has no variables.`;
  }
  return shown === all ? `${count(all, 'variable')} in ${name}` : `${shown} of ${count(all, 'variable')} in ${name}`;
}

function Table({ variables, name }: { variables: Variable[]; name: string }): JSX.Element {
  // Roles are told: a narrow panel lays the table out in another way, and browsers then take it for no table.
  return (
    <table role="table" className="jp-xinterp-Table" aria-label={`Variables of ${name}`}>
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader" scope="col">
            Name
          </th>
          <th role="columnheader" scope="col">
            Type
          </th>
          <th role="columnheader" scope="col">
            Size
          </th>
          <th role="columnheader" scope="col">
            Value
          </th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        {variables.map(({ name, type, size, value }) => (
          <tr key={name} role="row">
            <th role="rowheader" scope="row" title={name}>
              {name}
            </th>
            <td role="cell" title={type}>
              {type}
            </td>
            <td role="cell">{bytes(size)}</td>
            <td role="cell" title={value}>
              <code>{value}</code>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
