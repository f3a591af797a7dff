// A field that chooses one of the interpreters.
import { HTMLSelect } from '@jupyterlab/ui-components';
import type { KernelModel } from '../model';
import { useValue } from './hooks';

interface Props {
  model: KernelModel;
  label: string;
  value: number;
  onChange: (id: number) => void;
}

export function Choose({ model, label, value, onChange }: Props): JSX.Element {
  const rows = useValue(model.changed, () => model.interpreters);
  return (
    <HTMLSelect
      className="jp-xinterp-Choose"
      aria-label={label}
      value={value}
      options={rows.map(row => ({ value: row.id, label: row.label }))}
      onChange={event => onChange(Number(event.currentTarget.value))}
    />
  );
}
