// The commands that act on cells.

export const CommandIDs = {
  /** The active cell goes to `target`; null: where plain cells go. Without it: a menu asks. */
  setTarget: 'xinterp:set-target',
  /** Creates an interpreter, and the active cell goes there. */
  newForCell: 'xinterp:create-for-cell',
  toggleDetached: 'xinterp:toggle-detached',
  /** A code cell for `target` below the active one. */
  insertCell: 'xinterp:insert-cell',
  /** The active cell goes to `target` and runs. */
  runIn: 'xinterp:run-in',
  interruptCurrent: 'xinterp:interrupt-current'
} as const;
