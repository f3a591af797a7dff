// The tests in a real browser, against a real JupyterLab and the real kernel.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  cacheDir: '../build/labextension/vitest',
  test: {
    include: ['ui-tests/**/*.test.ts'],
    fileParallelism: false, // two cores are enough for one browser
    testTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
    hookTimeout: 120_000,
    teardownTimeout: 30_000
  }
});
