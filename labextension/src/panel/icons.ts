// The panel's own icon; all others are JupyterLab's.
import { LabIcon } from '@jupyterlab/ui-components';
import interpreters from '../../style/icons/interpreters.svg';

/** Stretches of time in lanes, some of them at once. */
export const interpretersIcon = new LabIcon({ name: 'jupyterlab-xinterp:interpreters', svgstr: interpreters });
