# shellcheck shell=bash
# The scripts that source this file read its variables (SC2034); caps have commas (SC2054).
# shellcheck disable=SC2034,SC2054
# What the scripts of this folder share about videos; they source it after setup.sh.

# Looks into a video: gaze_hdr is 1 where its colours are HDR (the transfer functions HLG and PQ), and
# gaze_sound where it has sound that GStreamer decodes; both are empty otherwise.
gaze_look_into() {
    local told
    # The decoder shows both in its first frame's caps; a video that does not decode shows nothing, and
    # the pipeline says why.
    told=$(gst-launch-1.0 -v filesrc location="$1" ! decodebin name=looked-into ! \
        identity name=first-frame eos-after=1 ! fakesink 2>/dev/null) || true
    gaze_hdr=
    gaze_sound=
    # GStreamer writes a transfer function that has no name with the others as its number: 14 is PQ,
    # 15 is HLG.
    ! grep -Eq 'first-frame\.GstPad:src: caps = .*colorimetry=\(string\)(bt2100-(hlg|pq)|[0-9]+:[0-9]+:1[45]:)' \
        <<<"$told" || gaze_hdr=1
    ! grep -q 'GstDecodeBin:looked-into.*: caps = audio/x-raw' <<<"$told" || gaze_sound=1
}

# The elements that make upright frames of ordinary colours from those of a decoder: gaze models know no
# others. A phone films in any orientation and tells it in a tag, and many film in HDR. The conversion
# of HDR takes time, so that it is there only where gaze_look_into found HDR.
gaze_upright() {
    if [ -n "${gaze_hdr:-}" ]; then
        gaze_frames=(videoconvert gamma-mode=remap primaries-mode=fast !
            video/x-raw,colorimetry=bt709 ! videoflip video-direction=auto)
    else
        gaze_frames=(videoconvert ! videoflip video-direction=auto)
    fi
}

# Chooses the encoders and the muxer of a video file: gaze_video_encoder, gaze_sound_encoder (empty where
# there is none, or the video has no sound), gaze_muxer, gaze_suffix.
gaze_choose_encoders() {
    local name has=gst-inspect-1.0 sounds=(avenc_aac fdkaacenc voaacenc lamemp3enc)
    gaze_suffix=mp4
    gaze_muxer=mp4mux
    gaze_sound_encoder=
    if $has --exists x264enc; then
        gaze_video_encoder=(x264enc speed-preset=veryfast bitrate=4000 ! h264parse)
    elif $has --exists openh264enc; then
        gaze_video_encoder=(openh264enc bitrate=4000000 ! h264parse)
    elif $has --exists avenc_mpeg4; then
        gaze_video_encoder=(avenc_mpeg4 bitrate=4000000 ! mpeg4videoparse)
    elif $has --exists vp8enc; then
        gaze_video_encoder=(vp8enc deadline=1 target-bitrate=4000000)
        gaze_suffix=webm
        gaze_muxer=webmmux
        sounds=(opusenc vorbisenc)
    else
        echo "GStreamer has no video encoder: install x264enc, openh264enc, avenc_mpeg4 or vp8enc" >&2
        return 1
    fi
    [ -n "${gaze_sound:-}" ] || return 0
    for name in "${sounds[@]}"; do
        ! $has --exists "$name" || { gaze_sound_encoder=$name; return 0; }
    done
    echo "GStreamer has no encoder for the sound (${sounds[*]}): the new video is silent" >&2
}

# The words that write a video file, behind the last element of the frames, which come from the decoder
# `decoded`: encoder, muxer, file, and the sound beside them.
gaze_write_video() {
    gaze_writer=(videoconvert ! "${gaze_video_encoder[@]}" ! queue ! mux.)
    # The encoder of the frames keeps many back, and the sound must not wait for them in a full queue.
    [ -z "$gaze_sound_encoder" ] || gaze_writer+=(decoded. ! audioconvert ! audioresample ! queue !
        "$gaze_sound_encoder" ! queue max-size-buffers=0 max-size-bytes=0 max-size-time=0 ! mux.)
    gaze_writer+=("$gaze_muxer" name=mux ! filesink location="$1")
}
