// The panel's comm with one kernel, on the wire. JupyterLab lets only one of a page's connections to a kernel have
// comms, and two front ends of one kernel would be two comms of one id: so the messages are made and read here.
import { type Kernel, KernelMessage } from '@jupyterlab/services';
import type { JSONObject } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';
import { COMM, type FromKernel, type Hello, type ToKernel, VERSION } from './protocol';

export class PanelComm implements IDisposable {
  constructor(readonly kernel: Kernel.IKernelConnection) {
    // Not `iopubMessage`, which waits until the outputs before it have been drawn.
    kernel.anyMessage.connect(this._onMessage, this);
  }

  /** What the kernel says, to this client and to others. */
  get received(): ISignal<this, FromKernel> {
    return this._received;
  }

  /** The kernel knows no such comm. */
  get closed(): ISignal<this, void> {
    return this._closed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this.kernel.anyMessage.disconnect(this._onMessage, this);
    Signal.clearData(this);
  }

  /** Say hello: the kernel answers with a snapshot. Again after a restart, or when the connection is back. */
  open(): void {
    const hello: Hello = { version: VERSION, colours: true };
    this._opening = this._send('comm_open', { comm_id: COMM, target_name: COMM, data: { ...hello } });
  }

  send(message: ToKernel): void {
    this._send('comm_msg', { comm_id: COMM, data: message as unknown as JSONObject });
  }

  private _send(
    msgType: 'comm_open' | 'comm_msg',
    content: KernelMessage.ICommOpenMsg['content'] | CommContent
  ): string {
    const message = KernelMessage.createMessage({
      msgType,
      channel: 'shell',
      username: this.kernel.username,
      session: this.kernel.clientId,
      // Of a console that has one: its plain cells have a place of their own to go to.
      subshellId: this.kernel.subshellId,
      content
    } as KernelMessage.IOptions<KernelMessage.ICommMsgMsg<'shell'>>);
    this.kernel.sendShellMessage(message);
    return message.header.msg_id;
  }

  private _onMessage(_: unknown, { msg, direction }: Kernel.IAnyMessageArgs): void {
    if (direction !== 'recv' || msg.channel !== 'iopub') {
      return;
    }
    if (KernelMessage.isCommMsgMsg(msg) && msg.content.comm_id === COMM) {
      this._received.emit(msg.content.data as unknown as FromKernel);
    } else if (KernelMessage.isCommCloseMsg(msg) && msg.content.comm_id === COMM) {
      const parent = msg.parent_header as Partial<KernelMessage.IHeader>;
      if (parent.msg_id === this._opening) {
        this._closed.emit();
      }
    }
  }

  private readonly _received = new Signal<this, FromKernel>(this);
  private readonly _closed = new Signal<this, void>(this);
  private _opening = '';
  private _isDisposed = false;
}

type CommContent = KernelMessage.ICommMsgMsg['content'];
