/**
 * A server that kills itself at a chosen moment of its journal's work: `stopping-server.ts <moment>
 * <record> <since>`, with Trent's settings in the environment. The journal writes through the port that
 * tests its failures; everything else is the server as it is.
 * @module
 */
import { pino } from 'pino'
import { nodeFiles, syncEachWrite, type FilePort, type OpenFile } from '../../src/disk/files.ts'
import { loadConfig } from '../../src/config.ts'
import { startServer } from '../../src/server/start.ts'
import { die } from './die.ts'

/** Where in the making of a batch of records the process dies. */
export type Moment = 'before write' | 'half written' | 'before sync' | 'after sync'

/** Preparing a segment writes zeros in large pieces; records come in small ones, and its head in one. */
const recordBytesMax = 64 * 1024

/** Dies at `moment` of the batch `batch` of those written while `counting`, from 1 on. */
function deadlyFiles(moment: Moment, batch: number, counting: () => boolean): FilePort {
  let batches = 0
  const deadly = (file: OpenFile): OpenFile => {
    let unsynced = false
    return {
      ...file,
      async write(bytes, position) {
        if (!counting() || bytes.length > recordBytesMax) return file.write(bytes, position)
        batches += 1
        unsynced = true
        if (batches !== batch) return file.write(bytes, position)
        if (moment === 'before write') die()
        if (moment === 'half written') {
          await file.write(bytes.subarray(0, bytes.length / 2), position)
          die()
        }
        return file.write(bytes, position)
      },
      async datasync() {
        const deadlyBatch = unsynced && batches === batch
        unsynced = false
        if (deadlyBatch && moment === 'before sync') die()
        await file.datasync()
        if (deadlyBatch && moment === 'after sync') die()
      },
    }
  }
  return {
    ...nodeFiles,
    createDurable: async (path) => syncEachWrite(deadly(await nodeFiles.create(path))),
  }
}

const [, , moment, batch, since] = process.argv
let isReady = false
const server = await startServer(loadConfig(process.env), {
  log: pino({ level: 'silent' }),
  journalFiles: deadlyFiles(
    moment as Moment, // the test names one
    Number(batch),
    () => since === 'start' || isReady,
  ),
  onFatal: (error) => {
    throw error
  },
})
await server.ready
isReady = true
process.stdout.write(`Trent is ready on http://127.0.0.1:${server.port}: it will die\n`)
