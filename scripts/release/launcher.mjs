#!/usr/bin/env node
// Starts Trent with the Node that came with this package, because npx may run on an older one. Without
// arguments it serves.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const required = 'NODE_VERSION'
const root = join(dirname(fileURLToPath(import.meta.url)), '..')

const isNewEnough = () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const [wantedMajor = 0, wantedMinor = 0] = required.split('.').map(Number)
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)
}

// The package for this machine, if npm has installed it.
const nodeBeside = () => {
  const load = createRequire(import.meta.url)
  const machine = `${process.platform}-${process.arch}`
  for (const name of [`node-${machine}`, `node-bin-${machine}`]) {
    try {
      return join(dirname(load.resolve(`${name}/package.json`)), 'bin', 'node')
    } catch {
      // The next name, or the Node that runs this file.
    }
  }
  return undefined
}

const node = nodeBeside() ?? (isNewEnough() ? process.execPath : undefined)
if (node === undefined) {
  const platform = `${process.platform}-${process.arch}`
  console.error(
    `trent: needs Node.js ${required} or newer: this is ${process.version} on ${platform}`,
  )
  process.exit(1)
}
const given = process.argv.slice(2)
const cache = join(root, 'dist', 'compile-cache.mjs')
const program = [
  '--disable-sigusr1',
  '--report-exclude-env',
  '--import',
  cache,
  join(root, 'dist', 'main.js'),
]
const called = [node, ...program, ...(given.length === 0 ? ['serve'] : given)]
// A core dump would hold keys, shares and passphrases.
const withoutCore = ['-c', 'ulimit -c 0; exec "$0" "$@"', ...called]
const shell = '/bin/sh'

const runBeside = () => {
  const child = spawn(shell, withoutCore, { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal]
  })
}

// In place of this process, where its Node can: nothing is left behind when it is killed.
if (typeof process.execve === 'function') {
  process.execve(shell, [shell, ...withoutCore], process.env)
} else runBeside()
