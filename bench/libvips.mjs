// What libvips takes for the pictures that the benchmark of internal/avatar makes:
//
//	BENCH_FILES=/tmp go test -run '^$' -bench BenchmarkProcess ./internal/avatar
//	npm --prefix /tmp install --no-save sharp@0.35.5
//	NODE_PATH=/tmp/node_modules node bench/libvips.mjs /tmp
//
// The same work: upright, the centred square, sRGB, four sizes, JPEG at quality 85.
// It prints the CPU time of one picture, the best of twenty.
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const sharp = createRequire(import.meta.url)('sharp');
sharp.concurrency(1);
sharp.cache(false);

const picture = async (file) => {
  const largest = await sharp(file).rotate().resize(512, 512, { fit: 'cover' }).raw().toBuffer({ resolveWithObject: true });
  for (const side of [512, 256, 128, 64]) {
    await sharp(largest.data, { raw: largest.info }).resize(side, side).jpeg({ quality: 85 }).toBuffer();
  }
};

const folder = process.argv[2];
for (const name of readdirSync(folder).filter((name) => /^(12-mega|512-)/.test(name))) {
  const file = readFileSync(join(folder, name));
  let best = Infinity;
  for (let i = 0; i < 20; i++) {
    const before = process.cpuUsage();
    await picture(file);
    const used = process.cpuUsage(before);
    best = Math.min(best, (used.user + used.system) / 1000);
  }
  console.log(name.padEnd(24), best.toFixed(1), 'cpu-ms');
}
