import { readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  cacheDir: '../build/labextension/vitest',
  plugins: [
    {
      name: 'icons', // are imported as their text, as the builder does
      enforce: 'pre',
      load: id => (id.endsWith('.svg') ? `export default ${JSON.stringify(readFileSync(id, 'utf8'))}` : null)
    }
  ],
  resolve: {
    mainFields: ['module', 'main'], // one copy of each of Lumino's packages
    alias: ['notebook', 'console'].map(name => ({
      find: `@jupyterlab/${name}`,
      replacement: `${import.meta.dirname}/tests/jupyterlab/${name}.ts`
    }))
  },
  test: {
    environment: 'jsdom',
    include: ['tests/**/*.test.ts', 'tests/**/*.test.tsx'],
    setupFiles: ['tests/setup.ts'],
    restoreMocks: true,
    // JupyterLab's packages import style sheets and icons, which Node cannot: vite reads them.
    server: { deps: { inline: [/@jupyterlab/, /@lumino/, /@jupyter/] } },
    css: false
  }
});
