/**
 * The chart under Helm and under the schemas of Kubernetes, with the values that the page on Kubernetes names;
 * what the chart refuses; and that the plain manifests are what it makes.
 * @module
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { builtProgramsIn, programsIn } from '../tools/programs.ts'
import { environmentOf, manifestsIn, podSpecOf } from './manifests.ts'

const helm = await builtProgramsIn('helm')
const kubernetes = await programsIn('kubernetes')
const { skip } = helm
const deploy = join(import.meta.dirname, '../../deploy')
const chart = join(deploy, 'helm/trent')
const nodes = join(deploy, 'helm/nodes.yaml')

function run(...parameters: readonly string[]) {
  return spawnSync(join(helm.bin, 'helm'), parameters, { encoding: 'utf8' })
}

const release = ['template', 'trent', chart, '--namespace', 'trent', '--kube-version', '1.31.0']

function rendered(parameters: readonly string[]): string {
  const { status, stdout, stderr } = run(...release, ...parameters)
  assert.equal(status, 0, stderr)
  return stdout
}

/** The values in a file, after those of other files. */
function valued(t: TestContext, values: object, ...files: readonly string[]): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'trent-helm-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'values.json')
  writeFileSync(path, JSON.stringify(values))
  return [...files, path].flatMap((file) => ['--values', file])
}

/** Sets of values that the page names, and others that take other branches of the templates. */
const variants: readonly (readonly [name: string, values: object, ...files: string[]])[] = [
  ['one node', {}],
  ['nodes without stored credentials', {}, nodes],
  ['a key file in a Secret', { sealSecret: 'trent-seal', settingsSecret: 'trent-settings' }],
  ['shares, without TLS', { settings: { TRENT_SEAL: 'shamir' }, tls: { plaintext: true } }],
  ['no network policy', { networkPolicy: { enabled: false } }],
  [
    'every value',
    {
      imagePullSecrets: [{ name: 'registry' }],
      storage: { className: 'fast', size: '1Gi' },
      webIdentity: { stsEndpoint: 'https://kms.example', audience: 'sts.kms.example' },
      networkPolicy: { from: [{ namespaceSelector: { matchLabels: { kms: 'allowed' } } }] },
      env: [{ name: 'NODE_EXTRA_CA_CERTS', value: '/etc/ca/ca.crt' }],
      volumes: [{ name: 'ca', configMap: { name: 'ca' } }],
      volumeMounts: [{ name: 'ca', mountPath: '/etc/ca' }],
      nodeSelector: { disk: 'local' },
      tolerations: [{ key: 'kms', operator: 'Exists' }],
    },
    nodes,
  ],
]

/** Those that the page names, the oldest first. */
const versions = ['1.31.0', '1.34.0', '1.37.0']

function validated(version: string, path: string) {
  const program = join(kubernetes.folder, 'venv/bin/python')
  const options = ['-m', 'kubernetes_validate', '--strict', '-k', version, path]
  const { status, stdout, stderr } = spawnSync(program, options, { encoding: 'utf8' })
  return { status, said: stdout + stderr }
}

for (const [name, values, ...files] of variants) {
  test(`Helm finds no fault in the chart: ${name}`, { skip }, (t) => {
    const linted = run('lint', '--strict', '--quiet', chart, ...valued(t, values, ...files))
    assert.equal(linted.status, 0, linted.stdout + linted.stderr)
  })

  test(`Kubernetes knows each member: ${name}`, { skip: skip || kubernetes.skip }, (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'trent-helm-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const path = join(folder, 'manifests.yaml')
    writeFileSync(path, rendered(valued(t, values, ...files)))
    for (const version of versions) {
      const { status, said } = validated(version, path)
      assert.equal(status, 0, `${version}: ${said}`)
    }
  })
}

test('Kubernetes knows each member of the plain manifests, and no other', kubernetes, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'trent-helm-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const name of ['trent.yaml', 'nodes.yaml']) {
    const path = join(deploy, 'kubernetes', name)
    for (const version of versions) {
      const { status, said } = validated(version, path)
      assert.equal(status, 0, `${name} ${version}: ${said}`)
    }
    const wrong = join(folder, name)
    writeFileSync(wrong, readFileSync(path, 'utf8').replace('readinessProbe:', 'readynessProbe:'))
    const { status, said } = validated('1.31.0', wrong)
    assert.equal(status, 1)
    assert.match(said, /readynessProbe/)
  }
})

test('the plain manifests are what the chart makes', { skip }, (t) => {
  for (const [name, ...files] of [['trent.yaml'], ['nodes.yaml', nodes]] as const) {
    const text = readFileSync(join(deploy, 'kubernetes', name), 'utf8')
    assert.equal(text.slice(text.indexOf('---\n')), rendered(valued(t, {}, ...files)), name)
  }
})

test('a setting of the values is stronger than that of the chart', { skip }, (t) => {
  const settings = { TRENT_LISTEN: '[::]:4599', TRENT_WORKERS: '2' }
  const environment = environmentOf(podSpecOf(manifestsIn(rendered(valued(t, { settings })))))
  assert.equal(environment['TRENT_LISTEN'], '[::]:4599')
  assert.equal(environment['TRENT_WORKERS'], '2')
})

test('the chart refuses what would not work, in a sentence', { skip }, (t) => {
  const database = { TRENT_DATABASE_URL: 'postgres://trent@db/trent' }
  const refusals: readonly [object, RegExp][] = [
    [{ replicas: 3 }, /more than one node needs settings\.TRENT_DATABASE_URL/],
    [{ replicas: 3, settings: database }, /needs settings\.TRENT_SEAL or a sealSecret/],
    [{ sealSecret: 's', settings: { TRENT_SEAL: 'shamir' } }, /are two seals: name one/],
    [{ settings: { TRENT_TLS_CLIENT_CA: '/ca' } }, /probes of Kubernetes have no certificate/],
    [
      { settings: { TRENT_SEAL: 'shamir' }, webIdentity: { roleArn: 'arn:aws:iam::1:role/r' } },
      /is for a seal kms:ARN/,
    ],
    [{ setings: {} }, /setings/],
    [{ settings: { REGION: 'us-east-1' } }, /REGION/],
    [{ settings: { TRENT_WORKERS: 2 } }, /TRENT_WORKERS|string/],
  ]
  for (const [values, words] of refusals) {
    const { status, stderr } = run(...release, ...valued(t, values))
    assert.equal(status, 1, JSON.stringify(values))
    assert.match(stderr, words)
  }
})
