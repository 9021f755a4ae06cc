/** The programs of the folders here, which use other people's libraries: how each is built. @module */
import { built, installed, type Recipe, type Tool } from './installed.ts'

const recipes = {
  compose: {
    name: 'compose',
    toolchain: ['go version'],
    sources: 'compose',
    fetch: ['go mod download'],
    build: ['go build -p 1 -o bin/compose .'],
  },
  helm: {
    name: 'helm',
    toolchain: ['go version'],
    sources: 'helm',
    fetch: ['go install -p 1 helm.sh/helm/v3/cmd/helm'],
  },
  kubernetes: {
    name: 'kubernetes-validate',
    toolchain: ['python3 --version', "python3 -c print(__import__('sys').base_prefix)"],
    sources: 'kubernetes',
    fetch: [
      'python3 -m venv venv',
      'venv/bin/python -m pip install --disable-pip-version-check --no-input --quiet ' +
        '--require-hashes --only-binary :all: -r requirements.txt',
    ],
  },
  go: {
    name: 'go-programs',
    toolchain: ['go version'],
    sources: 'go',
    fetch: ['go mod download'],
    build: ['go build -p 1 -o bin/ ./...'],
  },
  java: {
    name: 'java-program',
    toolchain: ['javac --release 17 -version', 'mvn --version'],
    sources: 'java',
    fetch: [
      'mvn --batch-mode --quiet -DoutputDirectory=lib ' +
        'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies',
      'sha256sum --check --strict --quiet jars.sha256',
    ],
    build: ['javac -encoding UTF-8 -cp lib/* -d classes RoundTrip.java'],
  },
  java1: {
    name: 'java-samples',
    toolchain: ['javac --release 17 -version', 'mvn --version'],
    sources: 'java-1',
    fetch: [
      'mvn --batch-mode --quiet -DoutputDirectory=lib ' +
        'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies',
      'sha256sum --check --strict --quiet jars.sha256',
    ],
    build: ['javac -encoding UTF-8 -cp lib/* -d classes GuideSamples.java'],
  },
  javascript: {
    name: 'javascript-packages',
    toolchain: ['node --version'],
    sources: 'javascript',
    fetch: ['npm ci --ignore-scripts --no-audit --no-fund'],
  },
  runners: {
    name: 'test-runners',
    toolchain: ['node --version'],
    sources: 'runners',
    fetch: ['npm ci --ignore-scripts --no-audit --no-fund'],
  },
  python: {
    name: 'python-program',
    toolchain: ['python3 --version', "python3 -c print(__import__('sys').base_prefix)"],
    sources: 'python',
    fetch: [
      'python3 -m venv venv',
      'venv/bin/python -m pip install --disable-pip-version-check --no-input --quiet ' +
        '--require-hashes --only-binary :all: -r requirements.txt',
    ],
  },
  rust: {
    name: 'rust-program',
    toolchain: ['rustc --version', 'cargo --version'],
    sources: 'rust',
    fetch: ['cargo fetch --locked --quiet'],
    build: [
      'cargo build --locked --offline --quiet --jobs 1',
      'mkdir bin',
      'mv target/debug/round-trip bin/',
      'rm -r target',
    ],
  },
} as const satisfies Record<string, Recipe>

/** Builds the programs of a folder, or finds them built. */
export function programsIn(folder: keyof typeof recipes): Promise<Tool> {
  return installed(recipes[folder])
}

/** Finds the programs of a folder built. */
export function builtProgramsIn(folder: keyof typeof recipes): Promise<Tool> {
  return built(recipes[folder])
}
