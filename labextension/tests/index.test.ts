import { expect, test } from 'vitest';
import plugins from '../src/index';

test('every plugin bears the name of the package', () => {
  expect(plugins.filter(plugin => !plugin.id.startsWith('jupyterlab-xinterp:'))).toEqual([]);
});
