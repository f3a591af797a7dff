// What ran when, in a lane for each interpreter: parallel cells are seen to overlap.
import { HTMLSelect } from '@jupyterlab/ui-components';
import { memo, useRef } from 'react';
import type { KernelModel } from '../model';
import type { Run } from '../protocol';
import { useValue } from './hooks';
import { Label } from './label';
import { axis, type Lane, laneKey, lanes, latest } from './lanes';
import { usePulse } from './pulse';
import type { PanelState } from './state';
import { count, runLabel } from './texts';

/** How far back it can be told to go. */
const WINDOWS = [
  { value: 0, label: 'runs' },
  ...[60, 300, 600].map(value => ({ value, label: count(value / 60, 'minute') }))
];

export function Timeline({ state }: { state: PanelState }): JSX.Element | null {
  const model = useValue(state.changed, () => state.model);
  const problem = useValue(model?.changed, () => model?.problem ?? null);
  return model && problem === null ? <Strips state={state} model={model} /> : null;
}

function Strips({ state, model }: { state: PanelState; model: KernelModel }): JSX.Element {
  const now = usePulse(model);
  const chosen = useValue(state.changed, () => state.timeline);
  const { from, to } = chosen > 0 ? { from: now - chosen, to: now } : latest(model.runs, now);
  const span = Math.round(to - from);
  // Runs have places that stay, in a track that is moved as time goes on: only what runs is drawn again.
  const epoch = useRef(now).current;
  const found = lanes(model.runs, model.interpreters, from);
  const track = { transform: `translateX(${(-(from - epoch) / span) * 100}%)` };
  return (
    <div className="jp-xinterp-Timeline">
      <div className="jp-xinterp-Bar">
        <span>Last</span>
        <HTMLSelect
          className="jp-xinterp-Choose"
          aria-label="How far the timeline goes back"
          value={chosen}
          options={WINDOWS}
          onChange={event => (state.timeline = Number(event.currentTarget.value))}
        />
      </div>
      {found.length === 0 ? (
        <p className="jp-xinterp-Sentence">{chosen > 0 ? 'Nothing ran in this time.' : 'Nothing has run yet.'}</p>
      ) : (
        <>
          <ul className="jp-xinterp-Lanes" aria-label="What ran when">
            {found.map(lane => (
              <Strip key={laneKey(lane)} {...{ lane, now, epoch, span, track }} />
            ))}
          </ul>
          <div className="jp-xinterp-Axis" aria-hidden>
            <div className="jp-xinterp-Track" style={track}>
              {axis(from, to).map(mark => (
                <span key={mark} style={{ left: `${((mark - epoch) / span) * 100}%` }}>
                  {clock(mark, span)}
                </span>
              ))}
            </div>
          </div>
        </>
      )}
    </div>
  );
}

/** In the person's time zone. */
function clock(seconds: number, span: number): string {
  const second = span < 300 ? ({ second: '2-digit' } as const) : {};
  return new Date(seconds * 1000).toLocaleTimeString([], {
    hour: '2-digit',
    minute: '2-digit',
    hour12: false,
    ...second
  });
}

interface StripProps {
  lane: Lane;
  now: number;
  epoch: number;
  span: number;
  track: React.CSSProperties;
}

function Strip({ lane, now, epoch, span, track }: StripProps): JSX.Element {
  return (
    <li className="jp-xinterp-Lane">
      <Label of={lane} />
      <div className="jp-xinterp-Strip">
        <ul
          className="jp-xinterp-Track"
          aria-label={`${count(lane.runs.length, 'run')} in ${lane.label}`}
          style={track}
        >
          {lane.runs.map(run => (
            <Stretch key={run.id} run={run} epoch={epoch} span={span} now={run.end === null ? now : 0} />
          ))}
        </ul>
      </div>
    </li>
  );
}

interface StretchProps {
  run: Run;
  epoch: number;
  span: number;
  /** Of a run that has not ended: up to where it is drawn. */
  now: number;
}

const Stretch = memo(function Stretch({ run, epoch, span, now }: StretchProps): JSX.Element {
  const end = run.end ?? now;
  const label = runLabel(run, end);
  return (
    <li
      className="jp-xinterp-Stretch"
      data-kind={run.kind}
      data-status={run.status ?? 'running'}
      aria-label={label}
      title={label}
      style={{
        backgroundColor: run.colour,
        left: `${((run.start - epoch) / span) * 100}%`,
        width: `${(Math.max(0, end - run.start) / span) * 100}%`
      }}
    >
      {run.status === 'error' && <span aria-hidden>✕</span>}
    </li>
  );
});
