// Bundles src/ and the packages that it uses into a few files of JavaScript, without types. Threads and child
// processes are programs of their own: each becomes a file with its own name next to main.js.
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'

/** `new URL('sqlite-thread.ts', import.meta.url)`: the program of a thread. */
const programUrl = /new URL\('(?:\.\/)?([\w-]+)\.ts', import\.meta\.url\)/g
/** `load('jose')`: a package that is loaded at its first use, at once. */
const lateLoad = /\bload\('([^']+)'\)/g
/** The built console, from a file of the bundle. */
const consoleFolder = "import.meta.dirname, '../../console/dist'"
/** Made by their users, because they are compiled on the machine. */
const external = ['pkcs11js', 'pg-native']

/** @param {string} directory @returns {string[]} */
const filesBelow = (directory) =>
  readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name)
    return entry.isDirectory() ? filesBelow(path) : [path]
  })

/** @param {string} name of a package, or of a file in one */
const lateFile = (name) =>
  `late-${name
    .replace(/\.js$/, '')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^-/, '')}.cjs`

/**
 * @param {string} root the checkout
 * @param {string} outdir
 * @returns {Promise<string[]>} the input files, relative to the checkout, in order
 */
export async function bundle(root, outdir) {
  /** @type {Record<string, string>} */
  const programs = { main: join(root, 'src', 'main.ts') }
  for (const file of filesBelow(join(root, 'src'))) {
    for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(programUrl)) {
      const program = join(dirname(file), `${name}.ts`)
      const known = programs[name]
      if (known !== undefined && known !== program) {
        throw new Error(`two programs have one name: ${known}, ${program}`)
      }
      programs[name] = program
    }
  }
  /** @type {Set<string>} */
  const late = new Set()
  const common = {
    absWorkingDir: root,
    bundle: true,
    platform: /** @type {const} */ ('node'),
    target: 'node26',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: /** @type {const} */ ('none'),
    logLevel: /** @type {const} */ ('warning'),
    metafile: true,
    external,
  }
  const { metafile } = await build({
    ...common,
    entryPoints: programs,
    outdir,
    format: 'esm',
    splitting: true,
    chunkNames: 'part-[hash]',
    banner: {
      js:
        "import{createRequire as createRequireOfTrent}from'node:module';" +
        'const require=createRequireOfTrent(import.meta.url);',
    },
    plugins: [
      {
        name: 'names of files in the bundle',
        setup(bundler) {
          bundler.onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, ({ path }) => {
            const contents = readFileSync(path, 'utf8')
              .replaceAll(programUrl, "new URL('$1.js', import.meta.url)")
              .replaceAll(consoleFolder, "import.meta.dirname, '../console'")
              .replaceAll(lateLoad, (_, name) => {
                late.add(name)
                return `load('./${lateFile(name)}')`
              })
            return { contents, loader: 'ts' }
          })
        },
      },
    ],
  })
  const inputs = new Set(Object.keys(metafile.inputs))
  for (const name of late) {
    const made = await build({
      ...common,
      stdin: { contents: `module.exports = require(${JSON.stringify(name)})`, resolveDir: root },
      outfile: join(outdir, lateFile(name)),
      format: 'cjs',
    })
    for (const input of Object.keys(made.metafile.inputs)) inputs.add(input)
  }
  return [...inputs].toSorted()
}

/**
 * The packages that files belong to.
 * @param {readonly string[]} inputs
 * @returns {string[]} their folders, `node_modules/pg`, in order
 */
export function packagesOf(inputs) {
  const folders = inputs.flatMap((input) => {
    const [, folder] = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input) ?? []
    return folder === undefined ? [] : [folder]
  })
  return [...new Set(folders)].toSorted()
}
