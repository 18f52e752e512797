pragma Singleton
import QtQuick
import CitizensWindow

// Every colour and size there is. Never a name like on…: QML would take it for a signal handler.
QtObject {
    property real screenWidth: 1080
    property real screenHeight: 1920
    readonly property bool portrait: screenHeight >= screenWidth
    readonly property bool contrast: Display.contrast
    readonly property real scale: Display.large ? 1.3 : 1.0

    // colours: flat, calm; every ink is legible on the grounds it is used on (a test computes the contrast)
    readonly property color canvas: contrast ? "#000000" : "#F2F5F9"
    readonly property color surface: contrast ? "#000000" : "#FFFFFF"
    readonly property color ink: contrast ? "#FFFFFF" : "#10213A"
    readonly property color inkSoft: contrast ? "#FFFFFF" : "#43546B"
    readonly property color header: contrast ? "#000000" : "#0B3C7D"
    readonly property color headerInk: "#FFFFFF"
    readonly property color gold: contrast ? "#000000" : "#E0A526"
    readonly property color primary: contrast ? "#FFE600" : "#0B4EA2"
    readonly property color primaryDown: contrast ? "#FFF59D" : "#083B7C"
    readonly property color primaryInk: contrast ? "#000000" : "#FFFFFF"
    readonly property color accent: contrast ? "#FFE600" : "#0B4EA2"
    readonly property color tint: contrast ? "#000000" : "#E4EEFA"
    readonly property color tintDown: contrast ? "#333333" : "#CBDDF3"
    readonly property color line: contrast ? "#FFFFFF" : "#C6D2E1"
    readonly property color border: contrast ? "#FFFFFF" : "#5F7189"
    readonly property color ok: contrast ? "#7DFFB4" : "#0B6B3A"
    readonly property color okTint: contrast ? "#000000" : "#E3F4EA"
    readonly property color warn: contrast ? "#FFE600" : "#7A4B00"
    readonly property color warnTint: contrast ? "#000000" : "#FFF3D1"
    readonly property color error: contrast ? "#FF9C94" : "#B3261E"
    readonly property color errorTint: contrast ? "#000000" : "#FCE8E6"
    readonly property color keys: contrast ? "#000000" : "#DCE4EE"
    readonly property color key: contrast ? "#000000" : "#FFFFFF"
    readonly property color keyDown: contrast ? "#333333" : "#CBDDF3"
    readonly property color keyFunction: contrast ? "#000000" : "#EDF2F8"
    readonly property color shade: contrast ? "#E6000000" : "#B30A1A30"

    // type, pixels at 0.248 mm a pixel
    readonly property real caption: Math.round(26 * scale)
    readonly property real body: Math.round(32 * scale)
    readonly property real lead: Math.round(38 * scale)
    readonly property real tile: Math.round(44 * scale)
    readonly property real title: Math.round(50 * (Display.large ? 1.18 : 1))
    readonly property real display: Math.round(60 * scale)
    readonly property real roomy: portrait && !Display.large ? 36 : body // body where a page has room
    readonly property real headline: portrait ? Math.round(60 * (Display.large ? 1.1 : 1)) : title // title while no keyboard is up

    // space
    readonly property real margin: 44
    readonly property real gutter: 24
    readonly property real radius: 22
    readonly property real target: 88
    readonly property real button: portrait ? 104 : 96
    readonly property real rule: contrast ? 3 : 2

    readonly property real headerHeight: 128
    readonly property real footerHeight: portrait ? 168 : 108
    readonly property real keyboardHeight: portrait ? 672 : Math.min(640, screenHeight - headerHeight - footerHeight - 206)
    readonly property real keyboardWidth: portrait ? screenWidth : Math.round(screenWidth * 0.57)
    readonly property real reachGap: Display.reach && portrait ? Math.round(screenHeight * 0.29) : 0

    readonly property int quick: Display.motion ? 160 : 0

    function toneInk(tone: string): color {
        return tone === "ok" ? ok : tone === "warn" ? warn : tone === "error" ? error : accent
    }

    function toneTint(tone: string): color {
        return tone === "ok" ? okTint : tone === "warn" ? warnTint : tone === "error" ? errorTint : tint
    }

    function toneSymbol(tone: string): string {
        return tone === "ok" ? "circle-check" : tone === "warn" ? "alert-triangle" : tone === "error" ? "alert-octagon" : "info-circle"
    }
}
