/** `trent completion` in real shells: what they complete, and that a line is completed by Tab. */
import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { unpackedPackages } from '../debian-packages.ts'

const main = join(import.meta.dirname, '../../src/main.ts')
const shells = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof shells)[number]

/** Has a script for each shell, and files to complete. */
let folder: string
const scriptOf = (shell: Shell): string => join(folder, `completion.${shell}`)
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'trent-completion-'))
  for (const shell of shells) {
    const script = execFileSync(process.execPath, [main, 'completion', shell], {
      encoding: 'utf8',
      env: {},
    })
    writeFileSync(scriptOf(shell), script)
  }
  mkdirSync(join(folder, 'files'))
  writeFileSync(join(folder, 'files', 'accounts one.yaml'), '')
})
after(() => rmSync(folder, { recursive: true, force: true }))

test('another shell is refused, with those that there are', () => {
  const { status, stderr } = spawnSync(process.execPath, [main, 'completion', 'ksh'], {
    encoding: 'utf8',
  })
  assert.equal(status, 1)
  assert.match(stderr, /^error: command-argument value 'ksh' is invalid.* bash, zsh, fish/)
})

/** Line, and all that it may go on with; `…` stands for more. */
const cases: readonly (readonly [words: string, expected: readonly string[]])[] = [
  ['trent acc', ['account']],
  ['trent account ', ['create', 'update', 'list', '…']],
  ['trent account u', ['update']],
  ['trent account update --no-s', ['--no-scp']],
  ['trent status --j', ['--json']],
  // The value of an option is no command.
  ['trent --config status acc', ['account']],
  ['trent serve --log ', ['lines', 'json']],
  ['trent serve --log j', ['json']],
  ['trent completion f', ['fish']],
  ['trent apply acc', ['accounts one.yaml']],
  ['trent --config acc', ['accounts one.yaml']],
  ['trent clock acc', ['accept']],
  ['trent usage --month acc', []],
  ['trent nothing-such', []],
]

function requireEach(completed: (words: string) => readonly string[]): void {
  for (const [words, expected] of cases) {
    const found = completed(words)
    if (expected.at(-1) === '…') {
      for (const each of expected.slice(0, -1))
        assert.ok(found.includes(each), `${words}: ${found.join(' ')}`)
    } else assert.deepEqual(found.toSorted(), expected.toSorted(), words)
  }
}

test('bash completes commands, options, values and files', () => {
  requireEach((words) => {
    const parts = words.split(' ').map((word) => `'${word}'`)
    const run = `source "$0"; COMP_WORDS=(${parts.join(' ')}); COMP_CWORD=${parts.length - 1}
      _trent 2>/dev/null; printf '%s\\n' "\${COMPREPLY[@]}"`
    const said = execFileSync('bash', ['--norc', '-c', run, scriptOf('bash')], {
      cwd: join(folder, 'files'),
      encoding: 'utf8',
    })
    return said.split('\n').filter(Boolean)
  })
})

const fish = foundShell('fish')

test('fish completes commands, options, values and files', { skip: fish.skip }, () => {
  requireEach((words) => {
    const run = `source '${scriptOf('fish')}'; complete -C '${words}'`
    const said = execFileSync(fish.program, ['--no-config', '-c', run], {
      cwd: join(folder, 'files'),
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: folder, ...fish.environment },
    })
    return said
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split('\t')[0] ?? '')
  })
})

const isScripted = spawnSync('script', ['--version']).status === 0
const noTerminal = isScripted ? false : 'there is no `script`, which makes a terminal'

/** Types lines on a terminal, and returns what it shows once `until` is on it. */
async function typed(
  command: string,
  keys: string,
  until: RegExp,
  environment: NodeJS.ProcessEnv = {},
): Promise<string> {
  const child = spawn('script', ['-qefc', command, '/dev/null'], {
    cwd: join(folder, 'files'),
    env: { PATH: process.env['PATH'], HOME: folder, TERM: 'dumb', ...environment },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const seen = Promise.withResolvers<undefined>()
  let shown = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text
    if (until.test(shown)) seen.resolve(undefined)
  })
  const ended = new Promise((resolve) => child.once('close', resolve))
  child.stdin.write(keys)
  await Promise.race([seen.promise, ended])
  child.kill('SIGKILL')
  await ended
  return shown
}

/** Completes by Tab, with a command that says what it was called with. */
const tabs = [
  `trent() { echo "called with <$*>"; }`,
  'trent account upd\t--no-s\t',
  'trent serve --log j\t',
  'trent apply acc\t',
  'echo the end',
].join('\n')
const last = /^the end/m

function requireCalls(shown: string): void {
  assert.match(shown, /called with <account update --no-scp>/, shown)
  assert.match(shown, /called with <serve --log json>/, shown)
  assert.match(shown, /called with <apply accounts one\.yaml>/, shown)
}

test('Tab completes a line of bash', { skip: noTerminal }, async () => {
  const shown = await typed(
    'bash --norc --noprofile -i',
    `source '${scriptOf('bash')}'\n${tabs}\n`,
    last,
  )
  requireCalls(shown)
})

const zsh = foundShell('zsh')

test('Tab completes a line of zsh', { skip: noTerminal || zsh.skip }, async () => {
  writeFileSync(join(folder, '.zshenv'), zsh.start)
  const source = `autoload -Uz compinit; compinit -D -u; source '${scriptOf('zsh')}'`
  const shown = await typed(`${zsh.program} -i`, `${source}\n${tabs}\n`, last, {
    ...zsh.environment,
    ZDOTDIR: folder,
  })
  requireCalls(shown)
})

interface Found {
  readonly program: string
  readonly skip: string | false
  readonly environment: NodeJS.ProcessEnv
  /** Lines that its first start needs where it is not installed. */
  readonly start: string
}

/** A shell of this machine, or one that is unpacked from Debian's packages. */
function foundShell(shell: 'zsh' | 'fish'): Found {
  const unpacked = unpackedPackages(shell, [shell])
  if ('why' in unpacked) return { program: '', skip: unpacked.why, environment: {}, start: '' }
  const { root } = unpacked
  const program = ['usr/bin', 'bin']
    .map((bin) => join(root, bin, shell))
    .find((at) => existsSync(at))
  if (program === undefined) {
    return { program: '', skip: `there is no ${shell}`, environment: {}, start: '' }
  }
  if (root === '/') return { program, skip: false, environment: {}, start: '' }
  const architecture =
    readdirSync(join(root, 'usr/lib')).find((name) => name.includes('-linux-')) ?? ''
  const libraries = join(root, 'usr/lib', architecture)
  const modules = join(libraries, 'zsh')
  const [version = ''] = existsSync(modules) ? readdirSync(modules) : []
  return {
    program,
    skip: false,
    environment: { LD_LIBRARY_PATH: libraries },
    start: `module_path=('${join(modules, version)}')
fpath=('${join(root, 'usr/share/zsh/functions')}'/**/*(/N))
`,
  }
}
