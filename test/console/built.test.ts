/** The build of the console has the same bytes each time, and so have releases of one commit. @module */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { buildConsole } from './chromium.ts'

const folder = join(import.meta.dirname, '../../console')

/** Each file below a folder, by its path there. */
function filesIn(directory: string): ReadonlyMap<string, Buffer> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  const files = names.filter((name) => statSync(join(directory, name)).isFile())
  return new Map(files.toSorted().map((name) => [name, readFileSync(join(directory, name))]))
}

test('two builds of the console have the same bytes', (t) => {
  const why = buildConsole()
  if (why !== undefined) {
    t.skip(why)
    return
  }
  const other = mkdtempSync(join(tmpdir(), 'trent-console-'))
  t.after(() => rmSync(other, { recursive: true, force: true }))
  const vite = join(folder, 'node_modules/vite/bin/vite.js')
  const flags = ['build', '--outDir', other, '--emptyOutDir', '--logLevel', 'error']
  const env = { ...process.env, TZ: 'Asia/Tokyo', LANG: 'C' }
  execFileSync(process.execPath, [vite, ...flags], { cwd: folder, env, stdio: 'pipe' })
  const again = filesIn(other)
  const built = filesIn(join(folder, 'dist'))
  // The rest are the hash of the sources, and compressed copies.
  const kept = [...built.keys()].filter((name) => name !== 'sources' && !name.endsWith('.br'))
  assert.ok(kept.length > 50, `${kept.length} files were built`)
  assert.deepEqual([...again.keys()], kept)
  for (const name of kept) assert.ok(built.get(name)?.equals(again.get(name) ?? Buffer.of()), name)
})
