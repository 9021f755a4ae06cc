/** The image of a release in a container: what `whole-release.ts` does with it. @module */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { CreateKeyCommand, DecryptCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms'
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

/** Waits for the line that a container prints when it serves, the `starts`-th time. */
async function readyUrl({ podman }: Podman, starts: number): Promise<string> {
  for (;;) {
    const found = [...podman('logs', container).matchAll(/^Trent is ready on (\S+): /gm)]
    const url = found[starts - 1]?.[1]
    if (url !== undefined) return url
    assert.equal(podman('inspect', '--format={{.State.Status}}', container), 'running')
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

  t.after(() => tried('rm', '--force', '--time=0', container))
  podman(
    'run',
    '--detach',
    `--name=${container}`,
    '--network=host',
    '--read-only',
    '--read-only-tmpfs=false',
    '--cap-drop=all',
    '--security-opt=no-new-privileges',
    '--volume=trent:/data',
    '--no-healthcheck', // without systemd Podman has no timer for it
    // What a machine without further rights may set.
    '--ulimit=nofile=1024:2048',
    '--ulimit=nproc=1000:2000',
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
}
