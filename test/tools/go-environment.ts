/** What `go build` takes from the machine: guides build in a folder of their own, with another home. @module */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

export type GoEnvironment =
  | { readonly environment: Readonly<Record<string, string>>; readonly skip: false }
  | { readonly environment: undefined; readonly skip: string }

const taken = ['GOPATH', 'GOMODCACHE', 'GOCACHE', 'GOPROXY', 'GOSUMDB', 'GOFLAGS', 'GOTOOLCHAIN']

/** The caches and the proxy of whoever runs the tests, or why there is no Go here. */
export async function goEnvironment(): Promise<GoEnvironment> {
  try {
    const { stdout } = await promisify(execFile)('go', ['env', '-json', ...taken])
    return { environment: JSON.parse(stdout) as Readonly<Record<string, string>>, skip: false }
  } catch (error) {
    return { environment: undefined, skip: `there is no Go here: ${String(error)}` }
  }
}
