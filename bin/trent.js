#!/usr/bin/env node
// Starts src/main.ts with the Node that the lock file brings, because npx may run on an older one.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const prepared = spawnSync(process.execPath, [join(root, 'scripts', 'prepare.mjs')], {
  stdio: ['ignore', 'inherit', 'inherit'],
})
if (prepared.status !== 0) process.exit(1)

const bundled = join(root, 'node_modules', '.bin', 'node')
const node = existsSync(bundled) ? bundled : process.execPath
const cache = pathToFileURL(join(root, 'scripts', 'compile-cache.mjs')).href
const program = [
  '--disable-sigusr1',
  '--report-exclude-env',
  '--import',
  cache,
  join(root, 'src', 'main.ts'),
]
// A core dump would hold keys, shares and passphrases.
const withoutCore = ['-c', 'ulimit -c 0; exec "$0" "$@"', node]
const child = spawn('/bin/sh', [...withoutCore, ...program, ...process.argv.slice(2)], {
  stdio: 'inherit',
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => {
  process.exitCode = code ?? 128 + constants.signals[signal]
})
