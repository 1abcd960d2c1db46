import { defineConfig } from 'vite'

/** The page as files that the app serves itself: all names with a hash, nothing inline, so that a strict content security policy holds. */
export default defineConfig({
  root: 'src/page',
  base: './',
  build: {
    outDir: '../../dist',
    emptyOutDir: true,
    target: 'es2022',
    sourcemap: true,
    // What others wrote goes out with their terms: the texts as a file beside the page, the notices in the script.
    license: { fileName: 'licenses.txt' },
    rolldownOptions: { output: { comments: { legal: true } } },
    // Nothing as data: in the page, and no script of Vite's own in front of ours.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
})
