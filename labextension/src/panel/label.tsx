// An interpreter's name beside its colour: the colour never stands alone.
export function Label({ of }: { of: { label: string; colour: string } }): JSX.Element {
  return (
    <span className="jp-xinterp-Label">
      <span className="jp-xinterp-Dot" style={{ backgroundColor: of.colour }} aria-hidden />
      <span className="jp-xinterp-Label-text" title={of.label}>
        {of.label}
      </span>
    </span>
  );
}
