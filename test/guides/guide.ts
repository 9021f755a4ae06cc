/**
 * A guide of the documentation, carried out as a reader would. Its commands run from top to bottom in one shell,
 * its files are written where it shows them, and what it shows as printed is compared with what was printed.
 *
 * - A block of four spaces is a list of commands.
 * - A fenced block that begins with a comment of one word is a file: `# vault.hcl`, `<!-- pom.xml -->`.
 * - A fenced block of `text` is what the commands above it print. `…` stands for anything within a line, and a
 *   line of its own for any lines.
 * @module
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { TestContext } from 'node:test'
import { openWorkplace, type Workplace } from '../compat/workplace.ts'

type Step =
  | { readonly kind: 'commands'; readonly text: string }
  | { readonly kind: 'file'; readonly name: string; readonly text: string }
  | { readonly kind: 'printed'; readonly text: string }

interface Guide {
  /** What this machine has in the place of what the guide names, for example a free port. */
  readonly stands?: Readonly<Record<string, string>>
  /** Blocks that are not run, by their beginning, each with the reason. */
  readonly notRun?: Readonly<Record<string, string>>
  /** What a reader does or waits for before a block, by the beginning of the block. */
  readonly before?: Readonly<Record<string, (folder: string) => Promise<unknown>>>
  /** Blocks of which a command must fail, by their beginning. */
  readonly fails?: readonly string[]
  readonly settings?: Parameters<typeof openWorkplace>[2]
  /** More variables of the shell. */
  readonly environment?: Readonly<Record<string, string>> | undefined
}

/** Folders with the programs that a guide calls, and why there are none here. */
export interface Programs {
  readonly bin: string
  readonly skip: string | false
}

/**
 * Lets a guide's `npm install` use packages that are there already, after a look at their versions.
 * @param folder with a `package-lock.json` and `node_modules`; this checkout unless given
 */
export function packagesFor(
  install: string,
  folder = join(import.meta.dirname, '../..'),
): Readonly<Record<string, string>> {
  const { packages } = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly version: string }>>
  }
  for (const [, name, version] of install.matchAll(/ (@?[^@ ]+)@(\S+)/g)) {
    assert.equal(packages[`node_modules/${name}`]?.version, version, `${install}: ${name}`)
  }
  return { [install]: `ln -s '${folder}/node_modules' node_modules` }
}

const blockMsMax = 240_000

/** Runs a guide from top to bottom against a server of its own. */
export async function followGuide(
  t: TestContext,
  file: string,
  programs: readonly Programs[],
  options: Guide = {},
): Promise<Workplace> {
  const bin = [...programs.map((each) => each.bin), dirname(process.execPath)].join(':')
  const place = await openWorkplace(t, { bin, skip: false }, options.settings)
  const { fails = [], before = {}, notRun = {} } = options
  const stands = {
    'http://127.0.0.1:4599': place.server.url,
    '127.0.0.1:4599': `127.0.0.1:${place.server.port}`,
    ...options.stands,
  }
  const here = (text: string): string =>
    Object.entries(stands).reduce((now, [page, value]) => now.replaceAll(page, value), text)
  const steps = stepsOf(await readFile(resolve(import.meta.dirname, '../..', file), 'utf8'))
  const used = new Set<string>()
  /** The one of some beginnings that a block has. */
  const beginning = (text: string, among: Iterable<string>): string | undefined => {
    const found = [...among].find((start) => text.startsWith(start))
    if (found !== undefined) used.add(found)
    return found
  }
  const run = openShell(t, place.folder, {
    ...place.environment,
    // So that commands such as `trent apply` find the server.
    TRENT_DATA_DIR: place.server.directory,
    ...options.environment,
  })
  let printed = ''
  for (const step of steps) {
    if (beginning(step.text, Object.keys(notRun)) !== undefined) printed = '…'
    else if (step.kind === 'file') await writeInto(place.folder, step.name, here(step.text))
    else if (step.kind === 'commands') {
      await before[beginning(step.text, Object.keys(before)) ?? '']?.(place.folder)
      const mustFail = beginning(step.text, fails) !== undefined
      const finished = await run(here(step.text))
      assert.equal(finished.failed, mustFail, `${file}\n${step.text}\n${finished.printed}`)
      ;({ printed } = finished)
    } else if (printed !== '…') requirePrinted(printed, here(step.text), file)
  }
  const beginnings = [...Object.keys(notRun), ...Object.keys(before), ...fails]
  assert.deepEqual(
    beginnings.filter((start) => !used.has(start)),
    [],
    `${file} has a block for each of these`,
  )
  return place
}

async function writeInto(folder: string, name: string, text: string): Promise<void> {
  const path = join(folder, name)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}

/** The steps of a page, in its order. A fenced block that is neither a file nor printed is a mistake. */
function stepsOf(markdown: string): readonly Step[] {
  const steps: Step[] = []
  const blocks = /^```(\w*)\n([^]*?)^```$|(?:^ {4}.*\n(?:\n(?= {4}))?)+/gm
  for (const [all, language, fenced] of markdown.matchAll(blocks)) {
    if (fenced === undefined) {
      steps.push({ kind: 'commands', text: all.replaceAll(/^ {4}/gm, '').trimEnd() })
    } else if (language === 'text') steps.push({ kind: 'printed', text: fenced.trimEnd() })
    else {
      const [, name] = /^(?:#|\/\/|<!--) ([\w./-]+)(?: -->)?\n/.exec(fenced) ?? []
      assert.ok(name, `a file begins with its name in a comment, and this does not:\n${fenced}`)
      steps.push({ kind: 'file', name, text: fenced })
    }
  }
  return steps
}

/** One line each, without blanks at their ends, and `…` for what differs from run to run. */
function requirePrinted(printed: string, shown: string, file: string): void {
  const quoted = shown
    .split('\n')
    .map((line) =>
      line.trim() === '…'
        ? '(?:.*\\n)*?'
        : `${line
            .trimEnd()
            .split('…')
            .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
            .join('.*')}[ \\t\\r]*\\n`,
    )
    .join('')
  if (new RegExp(`^${quoted}$`).test(`${printed.trimEnd()}\n`)) return
  assert.equal(printed, shown, `${file} shows something else`)
}

interface Printed {
  readonly failed: boolean
  readonly printed: string
}

/** A shell that lives as long as the test. What it starts in the background ends with it. */
function openShell(
  t: TestContext,
  folder: string,
  env: Readonly<Record<string, string>>,
): (commands: string) => Promise<Printed> {
  const shell = spawn('bash', ['--noprofile', '--norc'], {
    cwd: folder,
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  })
  const closed = once(shell, 'close')
  t.after(async () => {
    // The shell leads a group of processes, so that its background jobs end as well.
    if (shell.pid !== undefined) process.kill(-shell.pid, 'SIGKILL')
    await closed
  })
  let output = ''
  shell.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  shell.stdin.write("exec 2>&1; set -E -o pipefail; trap 'failed=yes' ERR\n")
  let count = 0
  return async (commands) => {
    count += 1
    const file = join(folder, `.block-${count}.sh`)
    await writeFile(file, `${commands}\n`)
    const mark = `end-of-block-${count}-${process.pid}`
    output = ''
    const ends = new RegExp(`\\n?${mark} (no|yes)\\n$`)
    // A program that reads its standard input must not read the commands of the next block.
    shell.stdin.write(`failed=no; source ${file} < /dev/null; echo "\n${mark} $failed"\n`)
    const deadline = AbortSignal.timeout(blockMsMax)
    while (!ends.test(output)) {
      await once(shell.stdout, 'data', { signal: deadline }).catch((error: unknown) => {
        throw new Error(`no end of this block:\n${commands}\n${output}`, { cause: error })
      })
    }
    const [, failed] = ends.exec(output) ?? []
    return { failed: failed === 'yes', printed: output.replace(ends, '') }
  }
}
