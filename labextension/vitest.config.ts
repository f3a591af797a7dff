import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PluginBuild } from 'esbuild';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: Record<string, string> };
const STANDINS = ['application', 'console', 'notebook'];
const PACKAGES = Object.keys(dependencies).filter(name => !STANDINS.some(standin => name === `@jupyterlab/${standin}`));

/** Icons are imported as their text, as the builder does. */
const text = (path: string) => readFileSync(path, 'utf8');
const icons: Plugin = {
  name: 'icons',
  enforce: 'pre',
  load: id => (id.endsWith('.svg') ? `export default ${JSON.stringify(text(id))}` : null)
};
const iconsOfPackages = {
  name: 'icons',
  setup({ onResolve, onLoad }: PluginBuild) {
    onResolve({ filter: /\.svg$/ }, ({ path, resolveDir }) => ({ path: join(resolveDir, path), namespace: 'icon' }));
    onResolve({ filter: /^tslib$/ }, () => ({ path: join(import.meta.dirname, 'node_modules/tslib/tslib.es6.js') }));
    onLoad({ filter: /./, namespace: 'icon' }, ({ path }) => ({ contents: text(path), loader: 'text' }));
  }
};

export default defineConfig({
  plugins: [icons],
  resolve: {
    mainFields: ['module', 'main'], // one copy of each of Lumino's packages
    alias: STANDINS.map(name => ({
      find: `@jupyterlab/${name}`,
      replacement: `${import.meta.dirname}/tests/jupyterlab/${name}.ts`
    }))
  },
  test: {
    environment: 'jsdom',
    include: ['tests/**/*.test.ts', 'tests/**/*.test.tsx'],
    setupFiles: ['tests/setup.ts'],
    restoreMocks: true,
    // JupyterLab's packages are bundled once, for all tests: they import style sheets and icons, which Node cannot, and
    // a thousand modules, which takes seconds a file.
    deps: {
      optimizer: {
        web: {
          enabled: true,
          include: PACKAGES,
          esbuildOptions: { plugins: [iconsOfPackages] }
        }
      }
    },
    server: { deps: { inline: [/@jupyterlab/, /@lumino/, /@jupyter/] } },
    css: false,
    // What the bundle of a package for servers says when it is loaded: it is not used.
    onConsoleLog: log => !log.includes('has been externalized for browser compatibility')
  }
});
