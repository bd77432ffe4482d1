import { SpeedMeter } from './speed-meter.js';

describe('a speed', () => {
  it('is 0 until there is one, and then what it was', () => {
    const meter = new SpeedMeter(1000, 0);
    expect(meter.bytesPerSecond).toBe(0);
    expect(meter.update(1000, 0)).toBe(0);
    expect(meter.update(2000, 500)).toBe(2000);
  });

  it('is half way to a new one after two seconds, however often it is asked', () => {
    for (const steps of [1, 20, 200]) {
      const meter = new SpeedMeter(0, 0);
      meter.update(1000, 1000);
      for (let step = 1; step <= steps; step++)
        meter.update(1000 + (6000 * step) / steps, 1000 + (2000 * step) / steps);
      expect(meter.bytesPerSecond).toBe(2000);
    }
  });

  it('never is negative when bytes are dropped, and counts those that come again', () => {
    const meter = new SpeedMeter(0, 0);
    meter.update(1000, 1000);
    expect(meter.update(0, 3000)).toBe(500);
    expect(meter.update(6000, 5000)).toBe(1750);
  });

  it('does not count time without work', () => {
    const meter = new SpeedMeter(0, 0);
    meter.update(1000, 1000);
    meter.skipTo(60_000);
    expect(meter.update(2000, 61_000)).toBe(1000);
  });
});
