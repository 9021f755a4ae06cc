/** What `cargo build` takes from the machine: guides build in a folder of their own, with another home. @module */
import { execFile } from 'node:child_process'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

export type RustEnvironment =
  | { readonly environment: Readonly<Record<string, string>>; readonly skip: false }
  | { readonly environment: undefined; readonly skip: string }

const cache = join(import.meta.dirname, '..', '..', '.cache', 'tools')

/** @param name of the folder in the cache that keeps what was compiled */
export async function rustEnvironment(name: string): Promise<RustEnvironment> {
  const { CARGO_HOME, RUSTUP_HOME } = process.env
  try {
    await promisify(execFile)('cargo', ['--version'])
  } catch (error) {
    return { environment: undefined, skip: `there is no Rust here: ${String(error)}` }
  }
  const environment = {
    CARGO_HOME: CARGO_HOME ?? join(homedir(), '.cargo'),
    RUSTUP_HOME: RUSTUP_HOME ?? join(homedir(), '.rustup'),
    CARGO_TARGET_DIR: join(cache, `rust-${name}`),
  }
  return { environment, skip: false }
}
