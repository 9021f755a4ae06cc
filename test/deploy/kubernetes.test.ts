/** The plain manifests: what they give a pod starts a server, and they give it no more. @module */
import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { CreateKeyCommand } from '@aws-sdk/client-kms'
import { loadConfig } from '../../src/config.ts'
import { openWebIdentities } from '../compat/web-identities.ts'
import { certified } from '../wire/certificate.ts'
import { answering } from '../start/terminal.ts'
import { end, main, ready, root, run, temporaryFolder, trent } from '../start/serve-process.ts'
import { callOperator } from '../../src/operator/client.ts'
import { environmentOf, plainManifests, podSpecOf, type Probe } from './manifests.ts'

const one = podSpecOf(plainManifests('trent.yaml'))
const nodes = podSpecOf(plainManifests('nodes.yaml'))
const user = 10_001
const container = readFileSync(join(root, 'deploy/container/Containerfile'), 'utf8')

test('the pods have no right that Trent does not need', () => {
  for (const pod of [one, nodes]) {
    const [{ securityContext, volumeMounts, env }] = pod.containers
    assert.deepEqual(pod.securityContext, {
      runAsNonRoot: true,
      runAsUser: user,
      runAsGroup: user,
      fsGroup: user,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    })
    assert.deepEqual(securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    assert.equal(pod.automountServiceAccountToken, false)
    assert.equal(pod.enableServiceLinks, false)
    for (const { name, secret } of pod.volumes) {
      if (secret !== undefined) assert.equal(secret.defaultMode, 0o440, name)
    }
    const volumes = [...pod.volumes.map(({ name }) => name), 'data']
    assert.deepEqual(volumeMounts.map(({ name }) => name).toSorted(), volumes.toSorted())
    // The stop delay, and what a stop may take after it.
    const delay = Number(environmentOf(pod)['TRENT_STOP_DELAY_SECONDS'])
    assert.ok(pod.terminationGracePeriodSeconds >= delay + 60)
    for (const { name, value } of env) {
      assert.doesNotMatch(name, /SECRET|PASSWORD|ACCESS_KEY/)
      assert.doesNotMatch(value, /:\/\/[^/@]*:[^/@]*@/, `${name} holds a password`)
    }
  }
})

test('the pods run the image of a release as its Containerfile does', () => {
  const line = (instruction: string): string =>
    new RegExp(`^${instruction} (.*)$`, 'm').exec(container)?.[1] ?? assert.fail(instruction)
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly version: string
  }
  const inImage = Object.fromEntries(
    line('ENV')
      .split(' ')
      .map((each) => each.split('=')),
  ) as Readonly<Record<string, string>>
  for (const pod of [one, nodes]) {
    const [{ image, ports, volumeMounts }] = pod.containers
    assert.equal(image, `localhost/trent:${version}`)
    const { runAsUser, runAsGroup } = pod.securityContext
    assert.equal(line('USER'), `${runAsUser}:${runAsGroup}`)
    const data = volumeMounts.find(({ name }) => name === 'data')
    assert.equal(data?.mountPath, line('VOLUME'))
    assert.deepEqual(
      ports.map(({ containerPort }) => String(containerPort)),
      [line('EXPOSE')],
    )
    const environment = environmentOf(pod)
    for (const name of ['TRENT_DATA_DIR', 'TRENT_LISTEN']) {
      assert.equal(environment[name], inImage[name], name)
    }
    assert.equal(loadConfig({ ...environment }).dataDirectory, line('VOLUME'))
  }
})

test('the network policy lets in the port, and out what it names', () => {
  for (const name of ['trent.yaml', 'nodes.yaml']) {
    const policy = plainManifests(name).find(({ kind }) => kind === 'NetworkPolicy')
    assert.deepEqual(policy?.spec['policyTypes'], ['Ingress', 'Egress'])
    const ingress = policy?.spec['ingress']
    assert.deepEqual(ingress, [{ from: [{ podSelector: {} }], ports: [{ port: 'kms' }] }])
    const egress = policy?.spec['egress'] as readonly { readonly to?: readonly object[] }[]
    for (const { to } of egress) assert.ok(to !== undefined && to.length > 0)
  }
})

/** Files as Kubernetes mounts a Secret: root's, for the group, behind links that it exchanges. */
function mountSecret(folder: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(join(folder, '..1'), { recursive: true })
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, '..1', name)
    writeFileSync(path, content)
    given(path, 0o440)
    symlinkSync(join('..data', name), join(folder, name))
  }
  symlinkSync('..1', join(folder, '..data'))
}

function given(path: string, mode: number): void {
  chownSync(path, 0, user)
  chmodSync(path, mode)
}

function statusOf(port: number, { httpGet: { path, scheme } }: Probe): Promise<number | undefined> {
  assert.equal(scheme, 'HTTPS')
  return new Promise((resolve, reject) => {
    // As a kubelet: by the address, and whatever the certificate is.
    const call = request({ host: '127.0.0.1', port, path, rejectUnauthorized: false, agent: false })
    call.on('error', reject)
    call.on('response', (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    call.end()
  })
}

/** What Kubernetes would add to the environment for the Service, without `enableServiceLinks: false`. */
const injected = {
  TRENT_SERVICE_HOST: '10.96.0.17',
  TRENT_SERVICE_PORT: '4599',
  TRENT_SERVICE_PORT_KMS: '4599',
  TRENT_PORT: 'tcp://10.96.0.17:4599',
  TRENT_PORT_4599_TCP: 'tcp://10.96.0.17:4599',
  TRENT_PORT_4599_TCP_PROTO: 'tcp',
  TRENT_PORT_4599_TCP_PORT: '4599',
  TRENT_PORT_4599_TCP_ADDR: '10.96.0.17',
}

const isRoot = process.getuid?.() === 0 && process.platform === 'linux'
const cannotGive = isRoot
  ? false
  : 'only root can give files to another user, and only on Linux here'

test('a server starts as the pod of the manifests does', { skip: cannotGive }, async (t) => {
  const folder = temporaryFolder(t)
  chmodSync(folder, 0o755)
  const data = join(folder, 'data')
  mkdirSync(data)
  // As a volume with fsGroup.
  given(data, 0o2770)
  const { cert, key } = await certified('trent.trent.svc')
  mountSecret(join(folder, 'etc/tls'), { 'tls.crt': cert, 'tls.key': key })
  const seal = join(folder, 'etc/seal.key')
  writeFileSync(seal, randomBytes(32))
  given(seal, 0o440)
  const settings = Object.fromEntries(
    Object.entries(environmentOf(one)).map(([name, value]) => [
      name,
      value.replace(/^\/data$/, data).replace('/etc/trent', join(folder, 'etc')),
    ]),
  )
  const environment = {
    ...settings,
    ...injected,
    TRENT_LISTEN: '127.0.0.1:0',
    TRENT_SEAL: `file:${seal}`,
  }
  const limits = `--reuid=${user} --regid=${user} --clear-groups --bounding-set=-all --no-new-privs`
  const inPod = (...parameters: readonly string[]) =>
    run(
      t,
      ['setpriv', ...limits.split(' '), process.execPath, main, ...parameters],
      environment,
      folder,
    )
  const [{ args, startupProbe, livenessProbe, readinessProbe }] = one.containers
  const server = await ready(inPod(...args))
  for (const probe of [startupProbe, livenessProbe, readinessProbe]) {
    assert.equal(await statusOf(server.port, probe), 200, probe.httpGet.path)
  }
  // As `kubectl exec`: an operator may change something, because the system names who calls.
  const made = inPod('account', 'create', '--json')
  assert.equal((await made.ended).code, 0, made.stderr())
  assert.equal((await end(server, 'SIGKILL')).signal, 'SIGKILL')

  // A key file of root's that other users may read, or that is a link, is refused all the same.
  for (const [spoil, words] of [
    [() => chmodSync(seal, 0o444), /key file \S+ is open to other users/],
    [
      () => {
        renameSync(seal, `${seal}.there`)
        symlinkSync(`${seal}.there`, seal)
      },
      /key file \S+ is a symbolic link/,
    ],
  ] as const) {
    spoil()
    const refused = inPod('serve')
    assert.equal((await refused.ended).code, 1)
    assert.match(refused.stderr(), words)
  }
})

test('the seal opens by a token of the service account, and by no other', async (t) => {
  const { server: kms, root: caller, issuer, roleArn } = await openWebIdentities(t)
  const { KeyMetadata } = await caller.kms.send(new CreateKeyCommand({}))
  const folder = temporaryFolder(t)
  const token = join(folder, 'token')
  const writeToken = async (sub: string): Promise<void> =>
    writeFileSync(token, await issuer.sign({ sub }), { mode: 0o600 })
  const settings = environmentOf(nodes)
  const names = Object.keys(settings).filter((name) => name.startsWith('AWS_'))
  assert.deepEqual(names, ['AWS_ROLE_ARN', 'AWS_WEB_IDENTITY_TOKEN_FILE'])
  assert.match(settings['TRENT_SEAL'] ?? '', /^kms:arn:/)
  const environment = {
    AWS_ROLE_ARN: roleArn,
    AWS_WEB_IDENTITY_TOKEN_FILE: token,
    // Two values of the chart.
    AWS_ENDPOINT_URL_STS: kms.url,
    TRENT_SEAL_KMS_ENDPOINT: kms.url,
    TRENT_SEAL: `kms:${KeyMetadata?.Arn}`,
    TRENT_LISTEN: '127.0.0.1:0',
    TRENT_DATA_DIR: join(folder, 'data'),
  }
  const ask = async (operation: string, input: object = {}) =>
    (await callOperator(environment.TRENT_DATA_DIR, operation, input)) as Awaited<
      ReturnType<Parameters<typeof answering>[1]>
    >
  await writeToken('job-trent-0')
  const first = trent(t, ['serve'], environment, folder)
  await answering(first, ask)
  await ask('Initialize')
  await ready(first)
  await end(first, 'SIGTERM')
  // Each later start opens the seal by itself.
  await end(await ready(trent(t, ['serve'], environment, folder)), 'SIGTERM')

  await writeToken('another-pod')
  const other = trent(t, ['serve'], environment, folder)
  await answering(other, ask)
  const isRefused = (): boolean => /the KMS cannot be used with arn:/.test(other.stderr())
  const seen = Promise.withResolvers<undefined>()
  other.child.stderr?.on('data', () => isRefused() && seen.resolve(undefined))
  if (!isRefused()) await Promise.race([seen.promise, other.ended])
  assert.ok(isRefused(), other.stderr())
  assert.equal((await ask('GetStatus')).sealed, true)
  await end(other, 'SIGTERM')
})
