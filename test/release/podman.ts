/** Buildah and Podman of Debian, unpacked: images are made and run by them. @module */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { unpackedPackages } from '../debian-packages.ts'

const unpacked = unpackedPackages('podman', ['buildah', 'podman', 'runc'])

/** Why no image is made and run here; undefined if one can be. */
export const noPodman =
  'why' in unpacked
    ? unpacked.why
    : process.getuid?.() === 0
      ? undefined
      : 'an unpacked Podman needs root'

/** The environment in which the programs are found. */
export function withPodman(): NodeJS.ProcessEnv {
  if ('why' in unpacked) throw new Error(unpacked.why)
  const { root } = unpacked
  if (root === '/') return process.env
  return {
    ...process.env,
    PATH: `${root}/usr/bin:${root}/usr/sbin:${process.env['PATH'] ?? ''}`,
    LD_LIBRARY_PATH: `${root}/usr/lib/${process.arch === 'x64' ? 'x86_64' : 'aarch64'}-linux-gnu`,
  }
}

export interface Podman {
  /** Runs a command of Podman to its end, and returns what it printed. It must succeed. */
  readonly podman: (...given: readonly string[]) => string
  /** Runs a command to its end, whatever it is. */
  readonly tried: (...given: readonly string[]) => { readonly code: number | null }
}

/** Podman with all that it keeps in a folder. */
export function openPodman(folder: string): Podman {
  mkdirSync(folder)
  const root = 'why' in unpacked || unpacked.root === '/' ? '' : unpacked.root
  const runtime = join(folder, 'runc')
  // Conmon starts it without the environment.
  writeFileSync(runtime, `#!/bin/sh\nexec ${root}/usr/sbin/runc "$@"\n`)
  chmodSync(runtime, 0o755)
  const policy = join(folder, 'policy.json')
  writeFileSync(policy, JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }))
  const settings = join(folder, 'containers.conf')
  const lines = [
    '[engine]',
    'runtime="runc"',
    'cgroup_manager="cgroupfs"',
    'events_logger="file"',
    `conmon_path=["${root}/usr/bin/conmon"]`,
    '[engine.runtimes]',
    `runc=["${runtime}"]`,
  ]
  writeFileSync(settings, `${lines.join('\n')}\n`)
  const places = ['root', 'runroot', 'tmpdir'].map((each) => `--${each}=${join(folder, each)}`)
  const env = { ...withPodman(), CONTAINERS_CONF: settings }
  const withPolicy = (given: readonly string[]): readonly string[] => {
    const [command = '', ...rest] = given
    const needs = ['load', 'run'].includes(command)
    return [command, ...(needs ? [`--signature-policy=${policy}`] : []), ...rest]
  }
  const command = (given: readonly string[]): readonly string[] => [
    '--storage-driver=vfs',
    ...places,
    ...withPolicy(given),
  ]
  return {
    podman: (...given) => execFileSync('podman', command(given), { env, encoding: 'utf8' }).trim(),
    tried: (...given) => ({ code: spawnSync('podman', command(given), { env }).status }),
  }
}
