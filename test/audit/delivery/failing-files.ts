/** The system's files, some of which fail for a while. @module */
import { nodeFiles, type FilePort, type OpenFile } from '../../../src/disk/files.ts'

export interface FailingFiles {
  readonly files: FilePort
  /**
   * What happens to a new file below a path: an error with this code at its creation, or at its sync.
   */
  failing:
    | { readonly below: string; readonly code: string; readonly at: 'create' | 'sync' }
    | undefined
  /** The number of failures. */
  failures: number
}

export function createFailingFiles(): FailingFiles {
  const meet = (path: string, at: 'create' | 'sync'): void => {
    const { failing } = port
    if (failing === undefined || failing.at !== at || !path.startsWith(failing.below)) return
    port.failures += 1
    throw Object.assign(new Error(`${failing.code}: of the test`), { code: failing.code })
  }
  const port: FailingFiles = {
    failing: undefined,
    failures: 0,
    files: {
      ...nodeFiles,
      async create(path) {
        meet(path, 'create')
        const file = await nodeFiles.create(path)
        const sync: OpenFile['sync'] = async () => {
          meet(path, 'sync')
          await file.sync()
        }
        return { ...file, sync }
      },
    },
  }
  return port
}
