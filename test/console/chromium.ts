/**
 * Chromium of Debian, for tests of the console: brought as `test/debian-packages.ts` brings packages, and
 * started once for each test file. Without it, the tests are skipped and say why.
 * @module
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { unpackedPackages } from '../debian-packages.ts'

/** Chromium without a window, its libraries, and a font for what Open Sans does not have. */
const packages = [
  'chromium-headless-shell chromium-common fonts-liberation xkb-data libasound2 libasyncns0',
  'libatk1.0-0 libatspi2.0-0 libblkid1 libbrotli1 libbsd0 libbz2-1.0 libcap2 libdav1d6 libdbus-1-3',
  'libdouble-conversion3 libdrm2 libexpat1 libffi8 libflac12 libfontconfig1 libfreetype6 libgbm1',
  'libgcrypt20 libglib2.0-0 libgpg-error0 libgraphite2-3 libharfbuzz-subset0 libharfbuzz0b',
  'libjpeg62-turbo liblcms2-2 liblz4-1 liblzma5 libmd0 libminizip1 libmount1 libmp3lame0',
  'libmpg123-0 libnspr4 libnss3 libogg0 libopenh264-7 libopenjp2-7 libopus0 libpcre2-8-0',
  'libpng16-16 libpulse0 libselinux1 libsndfile1 libsqlite3-0 libsystemd0 libudev1 libuuid1',
  'libvorbis0a libvorbisenc2 libwayland-server0 libx11-6 libx11-xcb1 libxau6 libxcb1',
  'libxcb-randr0 libxcb-shm0 libxcb-render0 libxcomposite1 libxdamage1 libxdmcp6 libxext6',
  'libxfixes3 libxi6 libxkbcommon0 libxnvctrl0 libxrandr2 libxrender1 libzstd1 zlib1g',
].flatMap((line) => line.split(' '))

/** A running Chromium, or why there is none. */
export async function startChromium(): Promise<
  { readonly browser: Browser; readonly stop: () => Promise<void> } | { readonly why: string }
> {
  const unpacked = unpackedPackages('chromium', packages)
  if ('why' in unpacked) return unpacked
  const { root } = unpacked
  const executablePath = join(root, 'usr/lib/chromium/chromium-headless-shell')
  if (!existsSync(executablePath)) return { why: `there is no ${executablePath}` }
  const home = mkdtempSync(join(tmpdir(), 'trent-chromium-'))
  const fonts = join(home, 'fonts.conf')
  writeFileSync(
    fonts,
    `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
    <dir>${root}/usr/share/fonts</dir><cachedir>${home}/fonts</cachedir></fontconfig>\n`,
  )
  const libraries = join(root, 'usr/lib', `${architecture()}-linux-gnu`)
  try {
    const browser = await chromium.launch({
      executablePath,
      // A slow start would skip the tests.
      timeout: 120_000,
      // The sandbox needs rights that a test does not have everywhere. The pages are our own.
      args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--lang=en-US'],
      env: {
        HOME: home,
        TZ: 'Europe/Berlin',
        FONTCONFIG_FILE: fonts,
        LD_LIBRARY_PATH: [libraries, join(libraries, 'pulseaudio')].join(':'),
      },
    })
    const stop = async (): Promise<void> => {
      await browser.close()
      rmSync(home, { recursive: true, force: true })
    }
    return { browser, stop }
  } catch (error) {
    const [reason = ''] = error instanceof Error ? error.message.split('\n') : []
    return { why: `Chromium does not start here: ${reason}` }
  }
}

function architecture(): string {
  return process.arch === 'arm64' ? 'aarch64' : 'x86_64'
}

const root = join(import.meta.dirname, '../..')

/** Builds the console if its sources changed. Returns why there is none. */
export function buildConsole(): string | undefined {
  try {
    const options = { cwd: root, stdio: 'pipe', timeout: 300_000 } as const
    execFileSync(process.execPath, [join(root, 'scripts/build-console.mjs')], options)
    return undefined
  } catch (error) {
    const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error)
    return `the console cannot be built here: ${text.trim().split('\n').at(-1)}`
  }
}
