/** The system's files: what a write promises once it resolves. */
import assert from 'node:assert/strict'
import { constants } from 'node:fs'
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { nodeFiles, syncEachWrite, writeAll } from '../../src/disk/files.ts'

const skip = process.platform !== 'linux' && 'only Linux shows the flags of open files'

test(
  'a file of durable writes is open with O_DSYNC, any other file is not',
  { skip },
  async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'trent-files-'))
    t.after(() => rm(directory, { recursive: true, force: true }))
    for (const [name, isDurable] of [
      ['createDurable', true],
      ['create', false],
    ] as const) {
      const path = join(directory, name)
      const file = await nodeFiles[name](path)
      const flags = await openFlags(path)
      assert.equal((flags & constants.O_DSYNC) !== 0, isDurable)
      await writeAll(file, Buffer.from('record'), 2)
      await file.close()
      assert.equal((await readFile(path, 'latin1')).slice(2), 'record')
      await assert.rejects(nodeFiles[name](path), { code: 'EEXIST' })
    }
  },
)

test('a write of a file that syncs each write resolves after the sync, and fails with it', async () => {
  const done: string[] = []
  let fails = false
  const file = syncEachWrite({
    ...(await nodeFiles.openToRead(import.meta.filename)),
    async write(bytes) {
      done.push('write')
      return bytes.length - 1
    },
    async datasync() {
      await new Promise((resolve) => void setImmediate(resolve))
      if (fails) throw new Error('EIO')
      done.push('sync')
    },
  })
  assert.equal(await file.write(Buffer.alloc(3), 0), 2)
  assert.deepEqual(done, ['write', 'sync'])
  fails = true
  await assert.rejects(file.write(Buffer.alloc(3), 0), /EIO/)
  await file.close()
})

/** Of this process's descriptor for the file, as the system knows them. */
async function openFlags(path: string): Promise<number> {
  for (const descriptor of await readdir('/proc/self/fd')) {
    const target = await readlink(`/proc/self/fd/${descriptor}`).catch(() => '')
    if (target !== path) continue
    const info = await readFile(`/proc/self/fdinfo/${descriptor}`, 'utf8')
    return Number.parseInt(/^flags:\s+(\d+)/m.exec(info)?.[1] ?? '0', 8)
  }
  throw new Error(`${path} is not open`)
}
