/**
 * Other people's programs, as their users have them: each built once from pinned sources into a folder of
 * its own under `.cache/tools`, by whichever test needs it first. A machine that lacks a toolchain, or
 * cannot reach what is fetched, is told so as the reason that the tests are skipped with.
 * @module
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, cp, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const here = import.meta.dirname
const cache = join(here, '..', '..', '.cache', 'tools')

/** Commands are words between spaces, without a shell; they run in the folder that is being made. */
export interface Recipe {
  readonly name: string
  /** Commands that print the versions of what it takes to build; what they print is part of the recipe. */
  readonly toolchain: readonly string[]
  /** The folder whose files are the sources, relative to this file's. They are copied to where the steps run. */
  readonly sources?: string
  /** What comes from outside. A failure here is the machine's, unless something is not what was pinned. */
  readonly fetch: readonly string[]
  /** What needs nothing more from outside. A failure here is ours. */
  readonly build?: readonly string[]
}

/** The folder of the finished tool, or why there is none here. `bin` is what a shell's path wants. */
export type Tool =
  | { readonly folder: string; readonly bin: string; readonly skip: false }
  | { readonly folder: ''; readonly bin: ''; readonly skip: string }

/** Makes the tool, or finds it made by the same recipe with the same toolchain. */
export function installed(recipe: Recipe): Promise<Tool> {
  return toolIn(recipe, (folder) => make(recipe, folder))
}

/** Finds the tool made, and never makes it: for tests of `npm test`, where nobody waits for a build. */
export function built(recipe: Recipe): Promise<Tool> {
  return toolIn(recipe, () =>
    Promise.reject(new NotToBeHad('`npm run test:tools` builds it, and has not yet')),
  )
}

async function toolIn(recipe: Recipe, otherwise: (folder: string) => Promise<void>): Promise<Tool> {
  try {
    const folder = join(cache, `${recipe.name}-${await fingerprint(recipe)}`)
    if (!(await exists(folder))) await otherwise(folder)
    return { folder, bin: join(folder, 'bin'), skip: false }
  } catch (error) {
    if (!(error instanceof NotToBeHad)) throw error
    return { folder: '', bin: '', skip: `${recipe.name} is not to be had here: ${error.message}` }
  }
}

/** Another recipe, source or toolchain gives another folder. */
async function fingerprint(recipe: Recipe): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([process.arch, recipe]))
  for (const command of recipe.toolchain) hash.update(await outside(command, here))
  if (recipe.sources === undefined) return hash.digest('hex').slice(0, 16)
  const sources = join(here, recipe.sources)
  const entries = await readdir(sources, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  for (const file of files.map((entry) => join(entry.parentPath, entry.name)).toSorted())
    hash
      .update(file.slice(sources.length))
      .update('\0')
      .update(await readFile(file))
  return hash.digest('hex').slice(0, 16)
}

/** Builds aside and renames, so that a folder of the final name is always whole. */
async function make(recipe: Recipe, folder: string): Promise<void> {
  console.log(`installing ${recipe.name} into .cache/tools, once; this can take minutes`)
  await mkdir(cache, { recursive: true })
  const aside = await mkdtemp(`${folder}.part-`)
  try {
    if (recipe.sources !== undefined)
      await cp(join(here, recipe.sources), aside, { recursive: true })
    for (const command of recipe.fetch) await outside(command, aside)
    for (const command of recipe.build ?? []) await build(command, aside)
    await rename(aside, folder)
  } catch (error) {
    await rm(aside, { recursive: true, force: true })
    // Another process was first: its folder is as good.
    if (!(await exists(folder))) throw error
  }
}

class NotToBeHad extends Error {}

function refusedBy(command: string, cause: unknown): NotToBeHad {
  const line = whatItSaid(cause).split('\n').at(-1)
  return new NotToBeHad(`\`${command}\` says: ${line}`, { cause })
}

async function outside(command: string, folder: string): Promise<string> {
  try {
    return await inside(command, folder)
  } catch (error) {
    // A package that is not the one that was named, or a lock that does not hold, excuses nobody's machine.
    const ours = /checksum|SECURITY ERROR|DO NOT MATCH|require-hashes|lock file|go\.sum/i
    throw ours.test(whatItSaid(error)) ? error : refusedBy(command, error)
  }
}

async function build(command: string, folder: string): Promise<void> {
  try {
    await inside(command, folder)
  } catch (error) {
    // Cargo compares versions no earlier than this.
    const theirs = /rustc \S+ is not supported by the following package/
    throw theirs.test(whatItSaid(error)) ? refusedBy(command, error) : error
  }
}

/** With the lowest priority: builds are long, and whoever runs them may be measuring something else. */
async function inside(command: string, folder: string): Promise<string> {
  const { stdout } = await run('nice', ['-n', '19', ...command.split(' ')], {
    cwd: folder,
    env: {
      ...process.env,
      GOBIN: join(folder, 'bin'),
      CARGO_TARGET_DIR: join(folder, 'target'),
      PYTHONHOME: undefined,
    },
    maxBuffer: 2 ** 26,
  })
  return stdout
}

function whatItSaid(error: unknown): string {
  const { stderr, stdout } = error as { stderr?: string; stdout?: string }
  return stderr?.trim() || stdout?.trim() || String(error)
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
