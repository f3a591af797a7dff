// The sentences at the panel's top.
import { Button, closeIcon } from '@jupyterlab/ui-components';
import { useValue } from './hooks';
import type { PanelState } from './state';

export function Notices({ state }: { state: PanelState }): JSX.Element {
  const notices = useValue(state.changed, () => state.notices);
  return (
    <>
      {notices.map(notice => (
        <div
          key={notice.id}
          className="jp-xinterp-Notice"
          data-kind={notice.kind}
          role={notice.kind === 'error' ? 'alert' : 'status'}
        >
          <span className="jp-xinterp-Notice-text">{notice.text}</span>
          {notice.cancel ? (
            <Button small onClick={notice.cancel}>
              Stop waiting
            </Button>
          ) : (
            <Button minimal small title="Dismiss" aria-label="Dismiss" onClick={() => state.dismiss(notice)}>
              <closeIcon.react tag="span" />
            </Button>
          )}
        </div>
      ))}
    </>
  );
}
