/**
 * What could bring the memory of this process, and the keys in it, to a disk or to a debugger. Only Linux
 * tells.
 * @see https://man7.org/linux/man-pages/man5/proc.5.html
 * @module
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * @param root the folder that stands for `/`
 * @param flags the flags of Node.js that this process was started with
 * @returns a sentence for each gap, with what closes it
 */
export function memoryGaps(root = '/', flags: readonly string[] = allFlags()): readonly string[] {
  const read = (path: string): string | undefined => readText(join(root, path))
  return [
    ...coreGaps(read('proc/self/limits')),
    ...swapGaps(read),
    ...(flags.includes('--disable-sigusr1')
      ? []
      : ['SIGUSR1 opens a debugger while the program loads: start Node with --disable-sigusr1']),
  ]
}

function allFlags(): readonly string[] {
  return [...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(' ')]
}

function coreGaps(limits: string | undefined): readonly string[] {
  const [, soft = '0'] = /^Max core file size +(\S+)/m.exec(limits ?? '') ?? []
  if (soft === '0') return []
  return ['a crash writes the memory to a core dump: set LimitCORE=0 in the unit, or `ulimit -c 0`']
}

function swapGaps(read: (path: string) => string | undefined): readonly string[] {
  const [, swapped = '0'] = /^VmSwap:\s+(\d+) kB/m.exec(read('proc/self/status') ?? '') ?? []
  if (swapped !== '0') return [`${swapped} kB of the memory are in the swap: ${closeSwap}`]
  const [, total = '0'] = /^SwapTotal:\s+(\d+) kB/m.exec(read('proc/meminfo') ?? '') ?? []
  const [, group = '/'] = /^0::(\/.*)$/m.exec(read('proc/self/cgroup') ?? '') ?? []
  if (total === '0' || mayNotSwap(group, read)) return []
  return [`the kernel may swap the memory out to a disk: ${closeSwap}`]
}

const closeSwap = 'set MemorySwapMax=0 in the unit, or turn the swap off'

/** A limit of a group above counts too. */
function mayNotSwap(group: string, read: (path: string) => string | undefined): boolean {
  for (let at = group; ; at = dirname(at)) {
    if (read(join('sys/fs/cgroup', at, 'memory.swap.max'))?.trim() === '0') return true
    if (at === dirname(at)) return false
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined // another system, or an older kernel
  }
}
