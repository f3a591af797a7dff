// The panel's state over a kernel model that the tests tell things.
import { Signal } from '@lumino/signaling';
import type { KernelModel } from '../../src/model';
import type { IKernelModels } from '../../src/models';
import { PanelState } from '../../src/panel/state';
import type { Interpreter } from '../../src/protocol';
import { alice, bob, type FakeConnection, interpreter, modelOf } from '../fakes';

export class FakeModels implements IKernelModels {
  readonly currentChanged: Signal<IKernelModels, void> = new Signal<IKernelModels, void>(this);
  current: KernelModel | null = null;

  show(model: KernelModel | null): void {
    this.current = model;
    this.currentChanged.emit();
  }

  of(): KernelModel {
    throw new Error('not in these tests');
  }
}

export interface Fixture {
  models: FakeModels;
  state: PanelState;
  model: KernelModel;
  connection: FakeConnection;
}

/** The panel of a kernel with those interpreters; if none are told: main, alice and bob. */
export function panelOf(...interpreters: Interpreter[]): Fixture {
  const rows = interpreters.length > 0 ? interpreters : [interpreter(), alice(), bob()];
  const { model, connection } = modelOf(...rows);
  const models = new FakeModels();
  models.current = model;
  return { models, state: new PanelState(models), model, connection };
}
