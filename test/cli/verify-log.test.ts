import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { nodeFiles } from '../../src/disk/files.ts'
import { verifyLog } from '../../src/cli/verify-log.ts'
import { openAnchored, writerStore } from '../audit/anchored.ts'
import { testKeyring } from '../crypto/fixed.ts'

/** A closed journal of two records below a data directory. */
async function withJournal(use: (data: string) => Promise<void>): Promise<void> {
  const data = await mkdtemp(join(tmpdir(), 'trent-verify-'))
  try {
    const { journal, stop } = await openAnchored({
      files: nodeFiles,
      directory: join(data, 'journal'),
      store: writerStore(),
      keyring: testKeyring(),
      options: { segmentBytes: 65536 },
    })
    for (const id of [
      '6f1e0f5e-0000-4000-8000-000000000001',
      '6f1e0f5e-0000-4000-8000-000000000002',
    ]) {
      await journal.append(id, JSON.stringify({ eventID: id }))
    }
    await stop()
    await use(data)
  } finally {
    await rm(data, { recursive: true })
  }
}

async function run(directory: string, json: boolean) {
  let text = ''
  const write = (part: string) => (text += part)
  return { status: await verifyLog({ directory, json, output: { write } }), text }
}

async function changeByte(data: string, at: number): Promise<void> {
  const directory = join(data, 'journal', 'worker-0')
  const [name = ''] = await readdir(directory)
  const bytes = await readFile(join(directory, name))
  bytes[at] = (bytes[at] ?? 0) ^ 1
  await writeFile(join(directory, name), bytes)
}

test('verify-log says that a journal is whole, with status 0', async () => {
  await withJournal(async (data) => {
    const { status, text } = await run(join(data, 'journal'), false)
    assert.equal(status, 0)
    assert.match(text, /stream worker-0: 2 records in 1 segments, 2027-01-15T08:00:00\.000Z to/)
    assert.match(
      text,
      /\nkey [0-9a-f]{64}: compare it with[^]*\nwhole: 2 records proved, 0 unanchored after the last checkpoint\n$/,
    )
  })
})

test('verify-log says where a journal breaks, with status 1', async () => {
  await withJournal(async (data) => {
    await changeByte(data, 300)
    const { status, text } = await run(join(data, 'journal'), false)
    assert.equal(status, 1)
    assert.match(
      text,
      /BROKEN worker-0\/000000000001\.seg at 238: a frame that was durable is damaged/,
    )
    assert.match(text, /\nNOT WHOLE\n$/)
    const json = await run(join(data, 'journal'), true)
    assert.equal(json.status, 1)
    const report = JSON.parse(json.text) as {
      whole: boolean
      breaks: { file: string; offset: number; why: string }[]
    } // our own report
    assert.equal(report.whole, false)
    assert.deepEqual(
      report.breaks.map(({ file, offset }) => [file, offset]),
      [
        ['worker-0', 0],
        ['worker-0/000000000001.seg', 238],
      ],
    )
    assert.equal(report.breaks[0]?.why, 'the stream has no checkpoint')
    assert.match(
      report.breaks[1]?.why ?? '',
      /^a frame that was durable is damaged: one at \d+ proves it$/,
    )
  })
})

test('names of files that somebody delivered do nothing to the terminal', async () => {
  await withJournal(async (data) => {
    const delivered = join(data, 'delivered')
    const digests = join(delivered, 'AWSLogs', 'CloudTrail-Digest')
    await mkdir(digests, { recursive: true })
    await writeFile(join(digests, '\u001b[2J\nwhole: 9 records proved.json.gz'), '')
    for (const json of [false, true]) {
      let text = ''
      const output = { write: (part: string) => (text += part) }
      const status = await verifyLog({ directory: join(data, 'journal'), delivered, json, output })
      assert.equal(status, 1)
      const escaped = json ? String.raw`\u001b[2J\nwhole` : String.raw`\u001b[2J\u000awhole`
      assert(text.includes(`CloudTrail-Digest/${escaped}: 9 records`), text)
      assert.doesNotMatch(text.replaceAll('\n', ''), /\p{Cc}/u)
    }
  })
})

test('verify-log answers status 2 where it cannot read, never 0', async () => {
  for (const json of [false, true]) {
    const { status, text } = await run(join(tmpdir(), 'trent-no-such-journal'), json)
    assert.equal(status, 2)
    assert.match(text, json ? /"whole":false/ : /cannot read/)
  }
  await withJournal(async (data) => {
    const output = { text: '', write: (part: string) => (output.text += part) }
    const delivered = join(data, 'absent')
    const options = { directory: join(data, 'journal'), delivered, json: false, output }
    assert.equal(await verifyLog(options), 2)
    assert.match(output.text, /^cannot read .*absent: ENOENT/)
    // What is wrong with all of the delivered files has the name of their directory.
    await mkdir(delivered)
    assert.equal(await verifyLog(options), 1)
    assert(output.text.includes(`\nBROKEN ${delivered}: there is no digest`), output.text)
  })
  const empty = await mkdtemp(join(tmpdir(), 'trent-verify-'))
  assert.equal((await run(empty, false)).status, 1)
  await rm(empty, { recursive: true })
})

test('a pipe in the place of a segment is refused, and nobody waits for it', async () => {
  await withJournal(async (data) => {
    await promisify(execFile)('mkfifo', [join(data, 'journal', 'worker-0', '000000000009.seg')])
    const { status, text } = await run(join(data, 'journal'), false)
    assert.equal(status, 2)
    assert.match(text, /000000000009\.seg is not a regular file\n$/)
  })
})

test('the command takes the journal of the data directory, and ends with the status', async () => {
  const script =
    `import { verifyLogCommand } from '${join(import.meta.dirname, '../../src/cli/verify-log.ts')}'\n` +
    'await verifyLogCommand(undefined, undefined, { json: true })'
  const command = (data: string) =>
    new Promise<{ code: unknown; text: string }>((resolve) => {
      execFile(
        process.execPath,
        ['--input-type=module', '-e', script],
        { env: { PATH: process.env['PATH'], TRENT_DATA_DIR: data } },
        (error, stdout) => resolve({ code: error === null ? 0 : error.code, text: stdout }),
      )
    })
  await withJournal(async (data) => {
    const good = await command(data)
    assert.equal(good.code, 0)
    assert.match(good.text, /"whole":true/)
    await changeByte(data, 300)
    assert.equal((await command(data)).code, 1)
  })
})
