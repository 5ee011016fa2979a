// The loop of the JavaScript programs: one JSON question a line on stdin, JSON answers on stdout (../README.md has the questions).
import { createInterface } from 'node:readline'

export class Cannot extends Error {}

/** An error for which the client named Kafka's code. */
export class Coded extends Error {
  constructor (code, text) {
    super(text)
    this.kafkaCode = code
  }
}

export function say (what) {
  process.stdout.write(JSON.stringify(what) + '\n')
}

export function pack (value) {
  return value === null || value === undefined ? null : Buffer.from(value).toString('base64')
}

export function unpack (text) {
  return text === null || text === undefined ? null : Buffer.from(text, 'base64')
}

export function sayAssigned (partitions) {
  say({ event: 'assigned', partitions: [...partitions].sort((a, b) => a - b) })
}

/** Fails when `promise` takes longer than the question allows. */
export function within (ask, promise, what) {
  let timer
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ask.seconds} s`)), ask.seconds * 1000)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

async function answer (handlers, ask, codeOf) {
  try {
    if (!handlers[ask.do]) {
      throw new Cannot(`no ${ask.do} in this client`)
    }
    await handlers[ask.do](ask)
    say({ done: true })
  } catch (error) {
    if (error instanceof Cannot) {
      say({ cannot: error.message })
    } else {
      say({ failed: `${error.name}: ${error.message}`, code: error.kafkaCode ?? codeOf(error) })
    }
  }
}

/** Answers until stdin ends; `codeOf(error)` is Kafka's code in an error of the client, or undefined. */
export async function serve (handlers, codeOf) {
  for await (const line of createInterface({ input: process.stdin })) {
    await answer(handlers, JSON.parse(line), codeOf)
  }
  process.exit(0)
}
