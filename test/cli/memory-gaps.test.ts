/** What a start says about core dumps, swap and the debugger, for what the system's files say. @module */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { memoryGaps } from '../../src/cli/memory-gaps.ts'
import { temporaryFolder } from '../store/engines.ts'

const safe: Readonly<Record<string, string>> = {
  'proc/self/limits':
    'Limit  Soft\nMax core file size        0                    0        bytes\n',
  'proc/self/status': 'Name:\tnode\nVmSwap:\t       0 kB\n',
  'proc/meminfo': 'MemTotal: 1 kB\nSwapTotal:             0 kB\n',
  'proc/self/cgroup': '0::/system.slice/trent.service\n',
}
const flags = ['--disable-sigusr1']
const swap = { 'proc/meminfo': 'SwapTotal:       2097148 kB\n' }

function gaps(t: TestContext, more: Readonly<Record<string, string>>): readonly string[] {
  const root = temporaryFolder(t)
  for (const [path, text] of Object.entries({ ...safe, ...more })) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return memoryGaps(root, flags)
}

test('a system without core dumps and swap has no gap, nor one that says nothing', (t) => {
  assert.deepEqual(gaps(t, {}), [])
  assert.deepEqual(memoryGaps(temporaryFolder(t), flags), [])
})

test('core dumps of any size are a gap', (t) => {
  for (const size of ['unlimited', '1024']) {
    const limits = `Max core file size        ${size}            unlimited            bytes\n`
    assert.match(gaps(t, { 'proc/self/limits': limits }).join('|'), /^a crash writes .*LimitCORE=0/)
  }
})

test('swap is a gap unless a group of the process may not use it', (t) => {
  assert.match(gaps(t, swap).join('|'), /^the kernel may swap the memory out .*MemorySwapMax=0/)
  for (const group of ['system.slice/trent.service', 'system.slice']) {
    const limit = { [`sys/fs/cgroup/${group}/memory.swap.max`]: '0\n' }
    assert.deepEqual(gaps(t, { ...swap, ...limit }), [])
    const none = { [`sys/fs/cgroup/${group}/memory.swap.max`]: 'max\n' }
    assert.equal(gaps(t, { ...swap, ...none }).length, 1)
  }
})

test('memory that is in the swap is a gap, whatever the limits say', (t) => {
  const status = { 'proc/self/status': 'VmSwap:\t     128 kB\n' }
  assert.match(gaps(t, status).join('|'), /^128 kB of the memory are in the swap/)
})

test('a debugger that a signal opens is a gap', (t) => {
  assert.match(memoryGaps(temporaryFolder(t), []).join('|'), /^SIGUSR1 opens a debugger/)
})
