import assert from 'node:assert/strict'
import { Session, type Profiler } from 'node:inspector'
import { test } from 'node:test'
import { CreateKeyCommand, EncryptCommand } from '@aws-sdk/client-kms'
import { StageList } from '../../src/pipeline/stage-list.ts'
import { startTestServer } from '../harness.ts'

const source = new URL('../../src/', import.meta.url).href

/** The folders of functions that ran since this was last called. */
function coverage(): () => readonly string[] {
  const session = new Session()
  session.connect()
  const post = (method: string, parameters?: object): unknown => {
    let answer: unknown
    // The inspector of the own thread answers at once.
    session.post(method, parameters, (error, result) => {
      if (error !== null) throw error
      answer = result
    })
    return answer
  }
  post('Profiler.enable')
  post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
  return () => {
    const { result } = post(
      'Profiler.takePreciseCoverage',
    ) as Profiler.TakePreciseCoverageReturnType
    const files = result.filter(
      ({ url, functions }) =>
        url.startsWith(source) &&
        functions.some(({ ranges }) => ranges.some(({ count }) => count > 0)),
    )
    return files.map(({ url }) => url.slice(source.length))
  }
}

/** `audit/journal` for `audit/journal/frame.ts`, `wire` for `wire/headers.ts`. */
function folderOf(file: string): string {
  const [top = '', second = '', third] = file.split('/')
  return third === undefined ? top : `${top}/${second}`
}

/** Folders below the steps: each step may use them. */
const shared: ReadonlySet<string> = new Set([
  'cache',
  'crypto',
  'jobs',
  'metrics',
  'model',
  'pipeline',
  'policy',
  'server',
  'store',
  'store/sqlite',
])

type Run = (input: unknown) => unknown
type AddStage = (this: unknown, run: Run) => unknown

/** What ran, function by function, and not what the list says. */
test('an Encrypt enters the folders of its steps in order', async () => {
  const ran = coverage()
  const path: string[] = []
  const spied = (run: Run): Run => {
    const [, name = ''] = /=>\s*(\w+)\(/.exec(run.toString()) ?? []
    return (input) => {
      ran()
      try {
        return run(input)
      } finally {
        const folders = new Set(ran().map(folderOf))
        const own = [...folders].filter((folder) => !shared.has(folder))
        path.push([`${name}:`, ...own.toSorted()].join(' '))
      }
    }
  }
  const methods = StageList.prototype as unknown as Record<'stage' | 'settle', AddStage> // untyped
  const { stage, settle } = methods
  methods.stage = function (run) {
    return stage.call(this, spied(run))
  }
  methods.settle = function (run) {
    return settle.call(this, spied(run))
  }
  const server = await startTestServer({ TRENT_WORKERS: '1' })
  try {
    const client = server.client()
    const { KeyMetadata } = await client.send(new CreateKeyCommand({}))
    const encrypt = new EncryptCommand({
      KeyId: KeyMetadata?.KeyId,
      Plaintext: Buffer.from('hello'),
    })
    await client.send(encrypt)
    path.length = 0
    await client.send(encrypt)
  } finally {
    Object.assign(methods, { stage, settle })
    await server.stop()
  }
  assert.deepEqual(path, [
    'find: wire',
    'authenticate: authenticate wire',
    'readInput: authenticate resolve wire',
    'identifyAgain:',
    'resolve: resolve',
    'charge: throttle',
    'authorize: audit/records authenticate authorize',
    'requireOneMoment:',
    'makeMissingKey:',
    'permit: audit/records resolve',
    'run: keystores/builtin operations/kms',
    'confirm:',
    'decideAgainInTurn:',
    'record: audit/journal audit/records operations/kms',
    'answer: wire',
  ])
})
