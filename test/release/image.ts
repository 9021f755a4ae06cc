/** The image of a release in a container: what `whole-release.ts` does with it. @module */
import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { CreateKeyCommand, DecryptCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms'
import { environmentOf, plainManifests, podSpecOf } from '../deploy/manifests.ts'
import { certified } from '../wire/certificate.ts'
import { openPodman, type Podman } from './podman.ts'

interface Image {
  readonly Size: number
  readonly Config: {
    readonly User: string
    readonly StopSignal: string
    readonly Volumes: Readonly<Record<string, unknown>>
  }
  readonly Healthcheck: { readonly Test: readonly string[] }
}

const credentials = { accessKeyId: 'CIROOT', secretAccessKey: 'ci-root-secret' }
const container = 'trent'
const unpackedMax = 175_000_000
const shutIn = [
  '--network=host',
  '--read-only',
  '--read-only-tmpfs=false',
  '--cap-drop=all',
  '--security-opt=no-new-privileges',
  '--no-healthcheck', // without systemd Podman has no timer for it
  // What a machine without further rights may set.
  '--ulimit=nofile=1024:2048',
  '--ulimit=nproc=1000:2000',
]

/** Waits for the line that a container prints when it serves, the `starts`-th time. */
async function readyUrl({ podman }: Podman, starts: number, name = container): Promise<string> {
  for (;;) {
    const logged = podman('logs', name)
    const url = [...logged.matchAll(/^Trent is ready on (\S+): /gm)][starts - 1]?.[1]
    if (url !== undefined) return url
    const state = podman('inspect', '--format={{.State.Status}}', name)
    assert.equal(state, 'running', logged)
    await sleep(200)
  }
}

function clientOf(t: TestContext, endpoint: string): KMSClient {
  const kms = new KMSClient({ endpoint, region: 'us-west-2', credentials })
  t.after(() => kms.destroy())
  return kms
}

/** @param archive the image, compressed */
export async function tryImage(t: TestContext, folder: string, archive: string): Promise<void> {
  const engine = openPodman(join(folder, 'podman'))
  const { podman, tried } = engine
  const tar = join(folder, 'image.tar')
  writeFileSync(tar, gunzipSync(readFileSync(archive)))
  const [, image = ''] = /Loaded image: (\S+)/.exec(podman('load', `--input=${tar}`)) ?? []
  const [{ Size, Config, Healthcheck }] = JSON.parse(podman('image', 'inspect', image)) as [Image]
  t.diagnostic(`the image has ${Size} bytes`)
  assert.ok(Size <= unpackedMax)
  assert.deepEqual([Config.User, Config.StopSignal], ['10001:10001', 'SIGTERM'])
  assert.deepEqual(Object.keys(Config.Volumes), ['/data'])
  const [kind, ...health] = Healthcheck.Test
  assert.equal(kind, 'CMD')
  // A first volume takes owner and mode from here.
  const inImage = statSync(join(podman('image', 'mount', image), 'data'))
  podman('image', 'unmount', image)
  assert.deepEqual([inImage.uid, inImage.gid, inImage.mode & 0o777], [10_001, 10_001, 0o700])

  t.after(() => tried('rm', '--force', '--time=0', container))
  podman(
    'run',
    '--detach',
    `--name=${container}`,
    ...shutIn,
    '--volume=trent:/data',
    '--env=TRENT_LISTEN=127.0.0.1:0',
    `--env=TRENT_ROOT_ACCESS_KEY_ID=${credentials.accessKeyId}`,
    `--env=TRENT_ROOT_SECRET_ACCESS_KEY=${credentials.secretAccessKey}`,
    image,
  )
  const kms = clientOf(t, await readyUrl(engine, 1))
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const Plaintext = Buffer.from('hello')
  const encrypt = new EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext })
  const { CiphertextBlob } = await kms.send(encrypt)

  const volume = statSync(podman('volume', 'inspect', '--format={{.Mountpoint}}', 'trent'))
  assert.deepEqual([volume.uid, volume.mode & 0o777], [10_001, 0o700])
  const pid = podman('inspect', '--format={{.State.Pid}}', container)
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  assert.match(status, /^Uid:\t10001\t10001\t10001\t10001$/m)
  assert.match(status, /^CapEff:\t0+$/m)
  assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /^Max core file size +0 +0 /m)
  assert.notEqual(tried('exec', container, '/bin/sh', '-c', 'true').code, 0)
  podman('exec', container, ...health)
  assert.match(podman('exec', container, 'trent', 'status', '--json'), /"ready": ?true/)

  podman('stop', '--time=60', container)
  assert.equal(podman('inspect', '--format={{.State.ExitCode}}', container), '0')
  podman('start', container)
  const again = clientOf(t, await readyUrl(engine, 2))
  const opened = await again.send(new DecryptCommand({ CiphertextBlob }))
  assert.deepEqual(Buffer.from(opened.Plaintext ?? []), Plaintext)
  await asInPod(t, engine, image, folder)
}

/** The image runs with what the manifests give it: their user, their settings, their mounts. */
async function asInPod(t: TestContext, engine: Podman, image: string, folder: string) {
  const { podman, tried } = engine
  const name = 'trent-0'
  const pod = podSpecOf(plainManifests('trent.yaml'))
  const { runAsUser, runAsGroup } = pod.securityContext
  const place = (path: string, mode: number): string => {
    chownSync(path, 0, runAsGroup) // as `fsGroup` does
    chmodSync(path, mode)
    return path
  }
  const [data, tls] = [join(folder, 'pod-data'), join(folder, 'pod-tls')]
  for (const each of [data, tls]) mkdirSync(each)
  place(data, 0o2770)
  place(tls, 0o755)
  const { cert, key } = await certified('trent.trent.svc')
  for (const [file, text] of [
    ['tls.crt', cert],
    ['tls.key', key],
  ] as const) {
    writeFileSync(join(tls, file), text)
    place(join(tls, file), 0o440)
  }
  const sources: Readonly<Record<string, string>> = { data, tls }
  const [{ args, volumeMounts }] = pod.containers
  const mounts = volumeMounts.map(({ name: of, mountPath }) =>
    sources[of] === undefined ? `--tmpfs=${mountPath}` : `--volume=${sources[of]}:${mountPath}`,
  )
  const settings = { ...environmentOf(pod), TRENT_LISTEN: '127.0.0.1:0' }
  const given = Object.entries(settings).map(([setting, value]) => `--env=${setting}=${value}`)
  const user = `--user=${runAsUser}:${runAsGroup}`
  t.after(() => tried('rm', '--force', '--time=0', name))
  podman('run', '--detach', `--name=${name}`, ...shutIn, user, ...mounts, ...given, image, ...args)
  assert.match(await readyUrl(engine, 1, name), /^https:/)
  // As `kubectl exec`, as the page has it.
  assert.match(podman('exec', name, 'trent', 'status', '--json'), /"ready": ?true/)
  assert.match(podman('exec', name, 'trent', 'account', 'create'), /^aws_secret_access_key = \S+$/m)
  podman('stop', '--time=60', name)
}
