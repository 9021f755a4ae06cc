// Bundles src/ and the packages that it uses into a few files of JavaScript, without types. Threads and child
// processes are programs of their own: each becomes a file with its own name.
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'

/** `new URL('sqlite-thread.ts', import.meta.url)`: the program of a thread or a child process. */
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

/** @param {string} root the checkout */
const commonOf = (root) => ({
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
})

/** For packages in CommonJS, in a module. */
const banner = {
  js:
    "import{createRequire as createRequireOfTrent}from'node:module';" +
    'const require=createRequireOfTrent(import.meta.url);',
}

/** @param {string} root @returns {Record<string, string>} the files of the programs by their names */
function programsOf(root) {
  /** @type {Record<string, string>} */
  const programs = {}
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
  return programs
}

/**
 * Changes the names of files that src/ has in its code.
 * @param {(name: string) => string} late the code that loads a package at its first use
 */
const renaming = (late) => ({
  name: 'names of files in the bundle',
  /** @param {import('esbuild').PluginBuild} bundler */
  setup(bundler) {
    bundler.onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, ({ path }) => {
      const contents = readFileSync(path, 'utf8')
        .replaceAll(programUrl, "new URL('$1.js', import.meta.url)")
        .replaceAll(consoleFolder, "import.meta.dirname, '../console'")
        .replaceAll(lateLoad, (_, name) => late(name))
      return { contents, loader: 'ts' }
    })
  },
})

/**
 * The package: `main.js`, a file for each program, and what they share in parts.
 * @param {string} root the checkout
 * @param {string} outdir
 * @returns {Promise<string[]>} the input files, relative to the checkout, in order
 */
export async function bundle(root, outdir) {
  /** @type {Set<string>} */
  const late = new Set()
  const common = commonOf(root)
  const { metafile } = await build({
    ...common,
    entryPoints: { main: join(root, 'src', 'main.ts'), ...programsOf(root) },
    outdir,
    format: 'esm',
    splitting: true,
    chunkNames: 'part-[hash]',
    banner,
    plugins: [
      renaming((name) => {
        late.add(name)
        return `load('./${lateFile(name)}')`
      }),
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

/** What is compiled on the machine lies in `node_modules` next to the executable. */
const nextToExecutable = {
  name: 'packages next to the executable',
  /** @param {import('esbuild').PluginBuild} bundler */
  setup(bundler) {
    const namespace = 'next-to-executable'
    bundler.onResolve({ filter: /^pkcs11js$/ }, ({ path }) => ({ path, namespace }))
    bundler.onLoad({ filter: /.*/, namespace }, ({ path }) => ({
      contents: `const {createRequire}=require('node:module'),{dirname,join}=require('node:path');module.exports=createRequire(process.execPath)(join(dirname(process.execPath),'node_modules','${path}'))`,
      loader: 'js',
    }))
  },
}

/**
 * The executable: `executable.mjs` with everything in it, and a file in CommonJS for each thread.
 * @param {string} root the checkout
 * @param {string} outdir
 * @returns {Promise<string[]>} the names of the threads' files
 */
export async function bundleExecutable(root, outdir) {
  const common = {
    ...commonOf(root),
    // INVARIANT (own code only): names lead to the executable, not to where its program lay when it was made.
    define: { 'import.meta.url': 'urlOfTrent', 'import.meta.dirname': '"/"' },
    plugins: [renaming((name) => `require('${name}')`), nextToExecutable],
  }
  const threads = Object.entries(programsOf(root)).filter(([name]) => name.endsWith('-thread'))
  await build({
    ...common,
    entryPoints: [join(root, 'scripts', 'release', 'executable.mjs')],
    outfile: join(outdir, 'executable.mjs'),
    format: 'esm',
    banner: {
      js:
        "import{createRequire as createRequireOfTrent}from'node:module';" +
        "import{pathToFileURL as pathToFileUrlOfTrent}from'node:url';" +
        'const urlOfTrent=pathToFileUrlOfTrent(process.execPath).href,' +
        'require=createRequireOfTrent(urlOfTrent);',
    },
  })
  await build({
    ...common,
    entryPoints: Object.fromEntries(threads),
    outdir,
    format: 'cjs',
    banner: { js: "const urlOfTrent=require('node:url').pathToFileURL(process.execPath).href;" },
  })
  return threads.map(([name]) => `${name}.js`)
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
