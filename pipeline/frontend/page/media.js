// The microphone, the peer connection, and how loud both sides are.

import { Problem, describeMicrophone } from "./problems.js";

const GATHERING_MS = 2_000;

/** The microphone, without the echo of what the page itself plays. */
export async function openMicrophone() {
  if (!navigator.mediaDevices) {
    throw new Problem("The browser gives a microphone only to pages of https, or of this very machine.");
  }
  const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  return navigator.mediaDevices.getUserMedia({ audio }).catch((error) => {
    throw describeMicrophone(error);
  });
}

/** A peer connection that sends `microphone` and takes the reply on the same transceiver. */
export function newPeer(microphone) {
  const peer = new RTCPeerConnection({ iceServers: [] });
  const [track] = microphone.getAudioTracks();
  peer.addTransceiver(track, { direction: "sendrecv", streams: [microphone] });
  return peer;
}

/** The offer with all its candidates: the media server takes none later. */
export async function createOffer(peer) {
  await peer.setLocalDescription();
  await new Promise((resolve) => {
    const look = () => peer.iceGatheringState === "complete" && resolve();
    peer.addEventListener("icegatheringstatechange", look);
    setTimeout(resolve, GATHERING_MS);
    look();
  });
  return peer.localDescription.sdp;
}

/** Calls `report` with the loudness of a stream, 0 to 1, at each frame of the screen until `stop`. */
export class LevelMeter {
  #context = new AudioContext();
  #running = true;

  constructor(stream, report) {
    const analyser = new AnalyserNode(this.#context, { fftSize: 512 });
    new MediaStreamAudioSourceNode(this.#context, { mediaStream: stream }).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const look = () => {
      if (!this.#running) return;
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      report(Math.min(1, Math.sqrt(power) * 6));
      requestAnimationFrame(look);
    };
    look();
  }

  stop() {
    this.#running = false;
    this.#context.close();
  }
}
