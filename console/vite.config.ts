/**
 * The build of the console: static files under `/console/`, with one chunk a screen.
 * @module
 */
import { defineConfig, type Plugin } from 'vite'

/**
 * Makes files of the fonts that Cloudscape's style sheet holds as base64. A browser loads the weights that
 * a page uses, instead of all eight before it shows anything, and the CSP needs no `data:` for fonts.
 */
function fontFiles(): Plugin {
  const font = /url\((['"]?)data:font\/woff2;(?:charset=[\w-]+;)?base64,([\w+/=]+)\1\)/g
  return {
    name: 'font-files',
    enforce: 'pre',
    transform(code, id) {
      if (!id.endsWith('global-styles/index.css')) return null
      let count = 0
      return code.replaceAll(font, (_match, _quote, base64: string) => {
        count += 1
        const reference = this.emitFile({
          type: 'asset',
          name: `open-sans-${count}.woff2`,
          source: Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)),
        })
        return `url(./${this.getFileName(reference).replace(/^assets\//, '')})`
      })
    },
  }
}

// oxlint-disable-next-line import/no-default-export -- Vite reads the default export
export default defineConfig({
  base: '/console/',
  plugins: [fontFiles()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: ['index.html', 'signed-in.html'] },
  },
})
