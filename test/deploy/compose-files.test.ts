/** The files for Docker Compose, read by the library that Docker Compose reads them with. @module */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { builtProgramsIn } from '../tools/programs.ts'

const compose = await builtProgramsIn('compose')
const { skip } = compose
const folder = join(import.meta.dirname, '../../deploy/compose')

function config(file: string, environment: Readonly<Record<string, string>> = {}) {
  return spawnSync(join(compose.bin, 'compose'), [join(folder, file)], {
    encoding: 'utf8',
    env: environment,
  })
}

interface Model {
  readonly services: Readonly<
    Record<string, { readonly image: string; readonly depends_on?: object }>
  >
}

function modelOf(file: string, environment: Readonly<Record<string, string>> = {}): Model {
  const { status, stdout, stderr } = config(file, environment)
  assert.equal(status, 0, stderr)
  assert.equal(stderr, '')
  return JSON.parse(stdout) as Model // the library's own form
}

test('the file for tests has one server, of the image that the environment names', { skip }, () => {
  const { services } = modelOf('tests.yaml', { KMS_IMAGE: 'registry.example/trent:9' })
  assert.deepEqual(Object.keys(services), ['trent'])
  assert.equal(services['trent']?.image, 'registry.example/trent:9')
  assert.equal(modelOf('tests.yaml').services['trent']?.image, 'localhost/trent:0.1.0')
})

test('the file of nodes has three, and asks for a password', { skip }, () => {
  const { services } = modelOf('nodes.yaml', { DATABASE_PASSWORD: '0123456789abcdef' })
  const names = ['haproxy', 'node-1', 'node-2', 'node-3', 'postgres', 'seal']
  assert.deepEqual(Object.keys(services).toSorted(), names)
  assert.deepEqual(Object.keys(services['node-3']?.depends_on ?? {}).toSorted(), [
    'node-1',
    'postgres',
    'seal',
  ])
  const refused = config('nodes.yaml')
  assert.equal(refused.status, 1)
  assert.match(refused.stderr, /required variable DATABASE_PASSWORD is missing a value/)
})
