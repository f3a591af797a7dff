// Commands whose refusal the person is told.
import { Notification } from '@jupyterlab/apputils';
import type { Answer } from './connection';
import type { KernelModel } from './model';
import type { Command } from './protocol';

/** The kernel's answer to a command; null if it refuses, which a notification tells. */
export async function askKernel(kernel: Pick<KernelModel, 'command'>, request: Command): Promise<Answer | null> {
  try {
    return await kernel.command(request);
  } catch (error) {
    Notification.error((error as Error).message, { autoClose: 5000 });
    return null;
  }
}
