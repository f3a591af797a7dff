// In the place of @jupyterlab/application, as notebook.ts is.
import { Token } from '@lumino/coreutils';

export const ILayoutRestorer = new Token('@jupyterlab/application:ILayoutRestorer');
