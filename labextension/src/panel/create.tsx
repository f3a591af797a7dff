// The dialog that asks for a new interpreter's name and preset.
import { Dialog, showDialog } from '@jupyterlab/apputils';
import { HTMLSelect, InputGroup, ReactWidget } from '@jupyterlab/ui-components';
import { useState } from 'react';
import type { Command } from '../protocol';
import { PRESETS } from './texts';

/** What the person wants; null if the dialog was dismissed. */
export async function askForInterpreter(): Promise<Command | null> {
  const result = await showDialog({
    title: 'New interpreter',
    body: new CreateForm(),
    buttons: [Dialog.cancelButton(), Dialog.okButton({ label: 'Create' })],
    focusNodeSelector: 'input'
  });
  return result.button.accept ? result.value : null;
}

/** The command for what was typed: names, apart by commas or spaces; none of them makes one that has an id only. */
export function createCommand(names: string, preset: string): Command {
  const list = names.split(/[\s,]+/).filter(name => name !== '');
  return { command: 'create', preset, ...(list.length > 0 ? { names: list } : { n: 1 }) };
}

export class CreateForm extends ReactWidget implements Dialog.IBodyWidget<Command> {
  getValue(): Command {
    return createCommand(this._names, this._preset);
  }

  protected override render(): JSX.Element {
    return (
      <Fields preset={this._preset} onNames={names => (this._names = names)} onPreset={name => (this._preset = name)} />
    );
  }

  private _names = '';
  private _preset = PRESETS[0]!.name;
}

interface FieldsProps {
  preset: string;
  onNames: (names: string) => void;
  onPreset: (preset: string) => void;
}

function Fields({ preset: initial, onNames, onPreset }: FieldsProps): JSX.Element {
  const [preset, setPreset] = useState(initial);
  return (
    <div className="jp-xinterp-Create">
      <label>
        Name
        <InputGroup
          type="text"
          placeholder="alice"
          aria-describedby="jp-xinterp-create-name"
          onChange={event => onNames(event.currentTarget.value)}
        />
      </label>
      <p id="jp-xinterp-create-name">
        Letters, digits and _. Several names make several; none, one that has a number only.
      </p>
      <label>
        Preset
        <HTMLSelect
          value={preset}
          aria-describedby="jp-xinterp-create-preset"
          options={PRESETS.map(({ name }) => name)}
          onChange={event => {
            setPreset(event.currentTarget.value);
            onPreset(event.currentTarget.value);
          }}
        />
      </label>
      <p id="jp-xinterp-create-preset">{PRESETS.find(({ name }) => name === preset)?.says}</p>
    </div>
  );
}
