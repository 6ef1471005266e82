// The site is made of the Markdown files of the repository as they are: README.md is its first page. Links between them lead from
// page to page; links to sources, which the site does not have, become plain text.
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitepress'

const vue = fileURLToPath(new URL('../node_modules/vue', import.meta.url))

/** Turns links to files that are no pages into what they show. */
function unlinkSources(markdown) {
  markdown.core.ruler.push('unlink-sources', state => {
    for (const block of state.tokens.filter(token => token.type === 'inline')) {
      let drop = 0
      block.children = block.children.filter(token => {
        if (token.type === 'link_open') {
          const target = token.attrGet('href')
          const page = /^(https?:|#)/.test(target) || /\.md(#|$)/.test(target)
          drop = page ? 0 : 1
          return page
        }
        if (token.type === 'link_close' && drop === 1) {
          drop = 0
          return false
        }
        return true
      })
    }
  })
}

const page = (text, link) => ({ text, link })

export default defineConfig({
  title: 'Caskwright',
  description: 'Pluggable, durable key-value stores for the JVM: embedded or served.',
  srcDir: '..',
  srcExclude: ['**/node_modules/**', '**/target/**', '**/src/**'],
  outDir: '../target/site',
  cacheDir: '../target/site-cache',
  rewrites: { 'README.md': 'index.md' },
  cleanUrls: false,
  lastUpdated: false,
  // The pages lie outside of this directory, from where they would not find it.
  vite: {
    resolve: {
      alias: [
        { find: 'vue/server-renderer', replacement: `${vue}/server-renderer/index.mjs` },
        { find: /^vue$/, replacement: `${vue}/dist/vue.runtime.esm-bundler.js` }
      ]
    }
  },
  markdown: { config: unlinkSources },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      page('Start', '/'),
      page('Choose', '/docs/choosing'),
      page('Server', '/docs/server'),
      page('Trust', '/docs/trust'),
      page('Performance', '/docs/performance'),
      page('Changes', '/CHANGELOG')
    ],
    sidebar: [
      {
        text: 'Begin',
        items: [
          page('Getting started', '/'),
          page('Examples', '/examples/README'),
          page('Choosing engine, index and IO', '/docs/choosing'),
          page('Features', '/docs/features'),
          page('Command line', '/docs/command-line'),
          page('Operations', '/docs/operations'),
          page('Flight Recorder', '/docs/flight-recorder'),
          page('Glossary', '/docs/glossary')
        ]
      },
      {
        text: 'Engines and layers',
        items: [
          page('Bolt', '/docs/bolt'),
          page('Moss', '/docs/moss'),
          page('Revisions, as in etcd', '/docs/mvcc'),
          page('Compression', '/docs/compression'),
          page('Encryption', '/docs/encryption'),
          page('Value cache', '/docs/value-cache'),
          page('Plug-ins of your own', '/docs/plugins'),
          page('An index as a plug-in', '/examples/skiplist-index/README')
        ]
      },
      {
        text: 'Server and hosts',
        items: [
          page('The server', '/docs/server'),
          page('Commands', '/docs/server-commands'),
          page('Raft: one store on several machines', '/docs/raft'),
          page('A read replica', '/docs/replica'),
          page('Clients and load balancing', '/docs/client'),
          page('Kafka Streams', '/docs/kafka-streams'),
          page('Infinispan', '/docs/infinispan')
        ]
      },
      {
        text: 'How it works',
        items: [
          page('Architecture', '/ARCHITECTURE'),
          page('A write', '/docs/architecture/write'),
          page('A read', '/docs/architecture/read'),
          page('An opening', '/docs/architecture/opening'),
          page('Images of the index', '/docs/architecture/images'),
          page('A merge', '/docs/architecture/merge'),
          page('Snapshots', '/docs/architecture/snapshots'),
          page('Time', '/docs/architecture/time'),
          page('Copies', '/docs/architecture/copies'),
          page('Failures', '/docs/architecture/failures'),
          page('IO', '/docs/architecture/io'),
          page('Indexes', '/docs/architecture/indexes'),
          page('Formats', '/docs/format')
        ]
      },
      {
        text: 'Why to trust it',
        items: [
          page('Promises', '/docs/trust'),
          page('Campaigns', '/docs/campaigns'),
          page('What others found', '/docs/found-by-others'),
          page('Performance', '/docs/performance'),
          page('Contributing', '/CONTRIBUTING'),
          page('This site', '/site/README'),
          page('Dependencies', '/DEPENDENCIES'),
          page('Changes', '/CHANGELOG')
        ]
      }
    ]
  }
})
